export { tf, compile, device, deviceName, deviceWarning, versions, type Compiled } from './tf';
export {
  addUniformNoise,
  binaryLabels,
  loadMnist,
  loadCifar10,
  normalize,
  randomResizedCrop,
  type Dataset,
} from './datasets';
export {
  exactSigmoidFocalLoss,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  exactSoftmaxFocalLoss,
  softmaxFocalLoss,
  firstNonFinite,
  forCompile,
  focalLoss,
  focalLossGradient,
  focalLossSecondDerivative,
  multiclassFocalLoss,
} from './losses';
export { evaluateLogits, meanInterval, predictLogits, type Evaluation, type Interval } from './evaluation';
export { naiveFocalLossGradient } from './precision/chainRule';
export { lenet, unet, vit } from './models';
export {
  fatalSamples,
  samplesOfStep,
  lastRun,
  train,
  type Divergence,
  type FatalSample,
  type Loss,
  type TrainingOptions,
  type TrainingRecord,
  type TrainingRun,
} from './training';
export { meanFocalLoss, trainGrid, type GridModel, type GridOptions, type GridRun } from './grid';
export { PAPER_SWEEP, readSweep, runSweep, type SweepRun, type SweepSettings } from './sweep';
export { toDataFrame } from './results/dataFrame';
export { linspace } from './linspace';
export {
  breathe,
  chart,
  check,
  displayBundle,
  imageGrid,
  Interrupted,
  notice,
  Progress,
  show,
  type VegaLiteSpec,
} from './display';
export { byProfile, profile, type Profile } from './profile';
export {
  exercise1,
  exercise2,
  exercise3,
  exercise4,
  exercise5,
  exercise6,
  exercise7,
  exercise8,
  exercise9,
  publishedLosses,
  todo,
  type ElementwiseLoss,
  type ExperimentConclusion,
  type ExperimentPlan,
  type ExperimentRow,
} from './coursework';
export * as figures from './figures';
export * as floats from './precision';
export * as published from './results/published';
export * as results from './results';

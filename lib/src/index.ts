export { tf } from './tf';

export { compile, device, deviceName, deviceWarning, versions } from './tf';
export { type Compiled, type CompileOptions, type Device, type DeviceName, type TensorFunction } from './tf';
export { addUniformNoise, binaryLabels, loadMnist, type Dataset } from './datasets';
export { loadCifar10, normalize, randomResizedCrop, type RandomResizedCropOptions } from './datasets';
export { exactSigmoidFocalLoss, sigmoidFocalLoss, stabilizedSigmoidFocalLoss } from './losses';
export { exactSoftmaxFocalLoss, softmaxFocalLoss } from './losses';
export { firstNonFinite, forCompile } from './losses';
export { focalLoss, focalLossGradient, focalLossSecondDerivative, multiclassFocalLoss } from './losses';
export {
  type ClassWeights,
  type ClosedFormOptions,
  type CompileLoss,
  type FocalLossOptions,
  type FocalOptions,
  type Reduced,
  type Reduction,
  type SoftmaxFocalLossOptions,
  type StabilizedFocalLossOptions,
  type TensorOptions,
} from './losses';
export { evaluateLogits, meanInterval, predictLogits, type Evaluation, type Interval } from './evaluation';
export { errorInUlps, FORMATS, roundTo, ulp, type Precision } from './precision';
export { emulatedFocalLoss, FORMULATIONS, naiveFocalLossGradient } from './precision';
export {
  type ChainRuleOptions,
  type ChainRuleSteps,
  type EmulationOptions,
  type Formulation,
} from './precision';
export { lenet, unet, vit, type LenetOptions, type UnetOptions, type VitOptions } from './models';
export {
  fatalSamples,
  overlap,
  samplesOfStep,
  lastRun,
  train,
  type Divergence,
  type FatalSample,
  type Loss,
  type StepOptions,
  type TrainingOptions,
  type TrainingRecord,
  type TrainingRun,
} from './training';
export {
  trainGrid,
  type GridDivergence,
  type GridLoss,
  type GridModel,
  type GridOptions,
  type GridProgress,
  type GridRecord,
  type GridRun,
} from './grid';
export { PAPER_SWEEP, readSweep, runSweep } from './grid';
export {
  type SweepEpoch,
  type SweepOptions,
  type SweepResult,
  type SweepRun,
  type SweepSettings,
} from './grid';

export * as figures from './figures';
export * as published from './results/published';
export * as results from './results';
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
} from './display';
export {
  type BundleOptions,
  type ImageGridOptions,
  type MimeBundle,
  type ShowOptions,
  type Table,
  type VegaLiteSpec,
} from './display';
export { byProfile, profile, type Profile } from './profile';
export { exercise1, exercise2, exercise3, exercise4, exercise5, exercise6 } from './coursework';
export { publishedLosses, todo } from './coursework';
export {
  type ElementwiseLoss,
  type ExperimentConclusion,
  type ExperimentPlan,
  type ExperimentRow,
} from './coursework';

export {
  deathMaps,
  deathScatter,
  gridExplorer,
  logitGrowth,
  type GridEpochLoss,
  type LogitGrowth,
} from './grid';
export { linspace } from './style';
export { focalLossExplorer, lossByMargin, lossByProbability, singularFactor } from './derivation';
export { gradientSweep, gradientTail, type GradientAtLogit } from './nanGradient';
export { logitDistribution, type LogitShare } from './segmentation';
export { deathMap, lossPerEpoch, trainingCurves, type Curve, type Death, type EpochLoss } from './training';

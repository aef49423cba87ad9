export {
  deathMaps,
  deathScatter,
  gridExplorer,
  logitGrowth,
  type GridEpochLoss,
  type LogitGrowth,
} from './grid';
export { gradientBound, ulpMaps, type BoundAtGamma, type ComputedValue } from './exactLoss';
export { epsilonBias, smallestEpsilons, type SmallestEpsilon } from './epsilonBias';
export { differenceIntervals, marginDistribution } from './lossComparison';
export { safetyMap, type Safety } from './safetyMap';
export { censusErrors, censusFaults } from './census';
export { comparisonSources, comparisonTable } from './comparison';
export { focalLossExplorer, gradientByMargin, lossByProbability, singularFactor } from './derivation';
export { exactGraph, textbookGraph } from './computationGraph';
export { type GraphSetting } from './graphStates';
export { gradientSizes, type GradientAtLogit, type GradientSweep } from './nanGradient';
export { logitDistribution, maskOverlay, type LogitShare } from './segmentation';
export {
  deathMap,
  lossBesidePublished,
  lossPerEpoch,
  trainingCurves,
  type Curve,
  type Death,
  type EpochLoss,
  type LossPanel,
} from './training';
export { costByModels, stepTimes } from './speed';

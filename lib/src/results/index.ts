export { compareDeaths, type CellDeath, type DeathComparison, type DeathPair } from './compareDeaths';
export { toDataFrame, type Row, type RowOf } from './dataFrame';
export {
  publishedCifar10,
  publishedMnistLosses,
  publishedMnistRuns,
  publishedSegmentation,
  type PublishedLoss,
  type PublishedRun,
  type PublishedSettings,
} from './published';
export { readRun, writeRun, type Json, type Run } from './runFile';

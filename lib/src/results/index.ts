export { besidePaper, readExperiments, type Comparison } from './besidePaper';
export { compareDeaths, type CellDeath, type DeathComparison, type DeathPair } from './compareDeaths';
export { toDataFrame, type Row, type RowOf } from './dataFrame';
export { epochResults, type EpochResult } from './epochResults';
export { readResults, writeResults, type NotebookResults } from './notebookResults';
export {
  publishedCifar10,
  publishedCifar10Death,
  publishedMnistLosses,
  publishedMnistRuns,
  publishedSegmentation,
  type PublishedLoss,
  type PublishedRun,
  type PublishedSettings,
} from './published';
export { readRun, writeRun, type Json, type Run } from './runFile';

export { readBench, type Bench, type BenchRow } from './benchFile';
export { readExperiments, type Comparison } from './besidePaper';
export { readCensus, type Census, type CensusRow, type CensusSettings } from './census';
export { compareDeaths, type CellDeath, type DeathComparison, type DeathPair } from './compareDeaths';
export { epochResults, type EpochResult } from './epochResults';
export {
  pairedDifferences,
  readLossComparison,
  type ComparedRun,
  type LossComparison,
  type MarginCount,
  type Measure,
  type PairedDifference,
} from './lossComparison';
export { longRunEnds, readLongRuns, type LongRunEnd, type LongRunEpoch } from './longRuns';
export { readResults, writeResults, type NotebookResults } from './notebookResults';
export type { Row, RowOf } from './columns';
export { readRun, type Json, type Run } from './runFile';
export { writeRun } from './writeRun';

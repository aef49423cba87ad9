export {
  trainGrid,
  type GridDivergence,
  type GridModel,
  type GridOptions,
  type GridProgress,
  type GridRecord,
  type GridRun,
} from './trainGrid';
export type { GridLoss } from './losses';
export { readSweep, type SweepEpoch, type SweepResult, type SweepRun } from './resultFiles';
export { runSweep, type SweepOptions } from './runSweep';
export { PAPER_SWEEP, type SweepSettings } from './settings';

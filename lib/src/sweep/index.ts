export { readSweep, type SweepEpoch, type SweepResult, type SweepRun } from './resultFiles';
export { runSweep, type SweepOptions } from './runSweep';
export { PAPER_SWEEP, type SweepSettings } from './settings';

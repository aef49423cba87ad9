export { train, type Divergence, type TrainingOptions, type TrainingRecord, type TrainingRun } from './train';
export type { Loss } from './step';

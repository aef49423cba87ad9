export { fatalSamples, type FatalSample } from './fatalSamples';
export { samplesOfStep, type StepOptions } from './sampler';
export { lastRun, train, type TrainingOptions } from './train';
export type { Divergence, TrainingRecord, TrainingRun } from './run';
export type { Loss } from './step';

export { fatalSamples, type FatalSample } from './fatalSamples';
export { samplesOfStep, type StepOptions } from './sampler';
export { lastRun, train, type Divergence, type TrainingOptions, type TrainingRun } from './train';
export type { TrainingRecord } from './records';
export type { Loss } from './step';
export { overlap } from './overlap';

export { tf } from './tf';

export { device, versions, type Device } from './tf';
export { addUniformNoise, binaryLabels, loadMnist, type Dataset } from './datasets';
export { lenet, type LenetOptions } from './models';
export { train, type Divergence, type Loss, type TrainingOptions, type TrainingRecord, type TrainingRun } from './training';

export { loadMnist, type Dataset } from './mnist';
export { addUniformNoise } from './noise';
export { binaryLabels } from './binaryLabels';
export { loadCifar10 } from './cifar10';
export { normalize, randomResizedCrop, type RandomResizedCropOptions } from './augment';

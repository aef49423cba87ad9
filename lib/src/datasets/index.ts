export { loadMnist, type Dataset } from './mnist';
export { addUniformNoise } from './noise';
export { binaryLabels } from './binaryLabels';

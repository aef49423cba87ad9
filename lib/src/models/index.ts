export { lenet, type LenetOptions } from './lenet';

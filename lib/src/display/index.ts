export { displayBundle, type BundleOptions, type MimeBundle } from './bundle';
export { breathe, Interrupted } from './breathe';
export { chart, type VegaLiteSpec } from './chart';
export { check } from './check';
export { notice } from './notice';
export { imageGrid, type ImageGridOptions } from './imageGrid';
export { Progress } from './progress';
export { show, type ShowOptions, type Table } from './table';

export { meanFocalLoss } from './meanFocalLoss';
export { trainGrid } from './trainGrid';
export type { GridOptions, GridProgress } from './options';
export type { GridModel, GridRun } from './run';
export type { GridLoss } from './lossNames';

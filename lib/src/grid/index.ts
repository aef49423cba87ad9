export {
  trainGrid,
  type GridDivergence,
  type GridModel,
  type GridOptions,
  type GridProgress,
  type GridRecord,
  type GridRun,
} from './trainGrid';
export type { GridLoss } from './losses';

export * as exercise1 from './gradient';
export * as exercise2 from './threshold';
export * as exercise3 from './repair';
export * as exercise4 from './rescue';
export * as exercise5 from './bias';
export * as exercise6 from './experiment';
export { type ExperimentConclusion, type ExperimentPlan, type ExperimentRow } from './experiment';
export { publishedLosses, type ElementwiseLoss } from './published';
export { todo } from './verdict';

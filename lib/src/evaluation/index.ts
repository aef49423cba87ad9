export { evaluateLogits, type Evaluation } from './calibration';
export { meanInterval, type Interval } from './interval';
export { predictLogits } from './predictLogits';

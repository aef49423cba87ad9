export { FORMATS, type Precision } from './formats';
export { errorInUlps, rounding, roundTo, ulp } from './rounding';

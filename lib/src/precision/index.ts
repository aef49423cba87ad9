export { FORMATS, type Precision } from './formats';
export { errorInUlps, roundTo, ulp } from './rounding';
export { emulatedFocalLoss, FORMULATIONS, type EmulationOptions, type Formulation } from './emulated';

export { FORMATS, type Precision } from './formats';
export { errorInUlps, rounding, roundTo, ulp } from './rounding';
export { naiveFocalLossGradient, type ChainRuleOptions, type ChainRuleSteps } from './chainRule';
export { exactFocalLossSteps, type ExactSteps, type ExactStepsOptions } from './exactSteps';
export { emulatedFocalLoss, FORMULATIONS, type EmulationOptions, type Formulation } from './emulated';

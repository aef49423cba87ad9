export { sigmoidFocalLoss } from './sigmoidFocalLoss';
export { stabilizedSigmoidFocalLoss, type StabilizedFocalLossOptions } from './stabilizedSigmoidFocalLoss';
export { exactSigmoidFocalLoss } from './exactSigmoidFocalLoss';
export { focalLoss, focalLossGradient, type ClosedFormOptions } from './closedForm';
export { naiveFocalLossGradient, type ChainRuleOptions, type ChainRuleSteps } from './chainRule';
export type { FocalLossOptions, FocalOptions, Reduced, Reduction } from './options';
export { emulatedFocalLoss, FORMULATIONS, type EmulationOptions, type Formulation } from './emulated';
export { firstNonFinite } from './firstNonFinite';

export { exactSigmoidFocalLoss } from './exact.js';
export { sigmoidFocalLoss, stabilizedSigmoidFocalLoss, type StabilizedFocalLossOptions } from './textbook.js';
export { exactSoftmaxFocalLoss, softmaxFocalLoss, type SoftmaxFocalLossOptions } from './softmax.js';
export type { FocalLossOptions, Reduced, Reduction, TensorOptions } from './tensors.js';
export { forCompile, type CompileLoss } from './compile.js';
export {
  focalLoss,
  focalLossGradient,
  focalLossSecondDerivative,
  multiclassFocalLoss,
  type ClosedFormOptions,
} from './closedForm.js';
export type { ClassWeights, FocalOptions } from './options.js';
export { firstNonFinite } from './firstNonFinite.js';

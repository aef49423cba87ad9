import { exactSigmoidFocalLoss, sigmoidFocalLoss, stabilizedSigmoidFocalLoss } from '../losses';
import type { Loss } from '../training';
import type { LossSettings } from './losses';
import { LOSS_NAMES, type GridLoss } from './lossNames';

const LOSSES: Record<GridLoss, typeof stabilizedSigmoidFocalLoss> = {
  original: sigmoidFocalLoss,
  stabilized: stabilizedSigmoidFocalLoss,
  exact: exactSigmoidFocalLoss,
};

/**
 * The mean loss of a batch, for `train` and `fatalSamples`, from the settings that `trainGrid` has for a model:
 *
 *   original: sigmoidFocalLoss      stabilized: stabilizedSigmoidFocalLoss      exact: exactSigmoidFocalLoss
 *
 * @returns a function of float32 logits and labels of one shape; a scalar, in nats; throws what these losses throw
 * @throws RangeError if there is no loss of that name
 */
export function meanFocalLoss({ loss, alpha, gamma, epsilon }: LossSettings): Loss {
  if (!LOSS_NAMES.includes(loss))
    throw new RangeError(`meanFocalLoss: loss is '${loss}'; expected one of ${LOSS_NAMES.join(', ')}`);
  return (logits, labels) => LOSSES[loss](logits, labels, { alpha, gamma, epsilon, reduction: 'mean' });
}

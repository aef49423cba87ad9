// The gradient of a student's loss, by autodiff.
import { tf } from '../tf';
import { messageOf, Wrong } from './verdict';

/**
 * The derivatives of the sum of some losses by the logits. To be called within tf.tidy.
 *
 * @param lossOf  logits -> losses, any shape
 * @param call    what is differentiated, as it is told to the student
 * @throws Wrong if there is no gradient, or an error on the way to it
 */
export function differentiate(
  lossOf: (logits: tf.Tensor) => tf.Tensor,
  x: tf.Tensor,
  call: string,
): number[] {
  // Where nothing leads to the logits tf.grad would throw; the second summand does, and adds nothing.
  const summed = (logits: tf.Tensor) => tf.add(tf.sum(lossOf(logits)), tf.mul(0, tf.sum(logits)));
  let gradient: number[];
  try {
    gradient = Array.from(tf.grad(summed)(x).dataSync());
  } catch (error) {
    for (const { saved } of tf.engine().state.activeTape ?? []) tf.dispose(saved); // which tf.grad does only at its end
    // The gradient looks at a tensor that is gone by then: tf.logSigmoid at its argument, unless it is the logits themselves.
    const forgotten =
      error instanceof TypeError
        ? '. If it uses tf.logSigmoid: tf.softplus can be. What a tf.customGrad needs, it has to save'
        : '';
    throw new Wrong(`${call} cannot be differentiated: ${messageOf(error)}${forgotten}`);
  }
  if (gradient.every((slope) => slope === 0))
    throw new Wrong(
      `${call} has no gradient: the losses have to come from the logits by tensor operations all the way`,
    );
  return gradient;
}

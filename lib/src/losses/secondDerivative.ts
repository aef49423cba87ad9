import { tf } from '../tf';

/**
 * Ends a custom gradient that is itself being differentiated. TensorFlow.js keeps the tensors saved for a custom gradient
 * off the tape: a second derivative through them would lack terms, and say nothing.
 * @throws Error if the gradient is computed under a tape, as in tf.grad(tf.grad(f))
 */
export function refuseSecondDerivative(caller: string): void {
  if (tf.engine().isTapeOn())
    throw new Error(`${caller}: second derivatives are not supported; its gradient cannot be differentiated`);
}

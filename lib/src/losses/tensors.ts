// What every focal loss of tensors does around its formula: it checks its arguments, makes bad labels NaN, leaves out ignored
// ones and reduces.
//
// No value that was read decides what is computed: labels are read only in order to complain. So a training step can be
// recorded with one batch and replayed with others.
import { checkParameters, describe, type FocalOptions } from './options.js';
import { tf, where, withGradient } from './tf.js';

/** What becomes of the losses: kept as they are, averaged, or summed. */
export type Reduction = 'none' | 'mean' | 'sum';

/** The tensor that a reduction leaves: one loss per label, or a scalar. */
export type Reduced<R extends Reduction> = R extends 'none' ? tf.Tensor : tf.Scalar;

/** Options that all losses of tensors have. */
export interface TensorOptions<R extends Reduction = Reduction> {
  /** Default 'none'. 'mean' divides by the number of labels, without those ignored; alpha does not count. Of nothing it is 0. */
  reduction?: R;
  /**
   * A label, such as 255 or -1, that marks what has none: loss and gradient are 0 there. 'mean' does not count it, as in
   * PyTorch's cross_entropy: a batch with few labels is then no weaker. (kornia's focal_loss counts it, and divides by the number
   * of classes as well, as MONAI's does where nothing is ignored; torchvision's has no such label.) Default: there is none.
   */
  ignoreLabel?: number;
}

/** @throws Error on WebGL with 16-bit floats: 1.2e-7 is 0 there, and 65,520 is Infinity */
function checkBackend(caller: string): void {
  if (tf.getBackend() !== 'webgl' || tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) return;
  // (tfjs 4.22 answers 16 also where that flag is set.)
  if (tf.backend().floatPrecision() === 16)
    throw new Error(
      `${caller}: this graphics card computes with 16-bit floats, which hold no focal loss; call tf.setBackend('wasm') or tf.setBackend('cpu')`,
    );
}

/**
 * Checks the arguments that all losses of tensors share.
 * @throws TypeError for anything but tensors, logits that are not float32, labels that are not float32, int32 or bool; RangeError for an
 *   unknown reduction, an ignoreLabel that is not a finite number; Error for WebGL with 16-bit floats
 */
export function checkTensors(
  caller: string,
  { logits, labels }: { logits: tf.Tensor; labels: tf.Tensor },
  { reduction, ignoreLabel }: TensorOptions,
): void {
  for (const [name, tensor] of Object.entries({ logits, labels }))
    if (!(tensor instanceof tf.Tensor))
      throw new TypeError(`${caller}: ${name} must be a tensor, got ${describe(tensor)}`);
  if (logits.dtype !== 'float32')
    throw new TypeError(`${caller}: logits must be float32, got ${logits.dtype}: cast them first`);
  if (!['float32', 'int32', 'bool'].includes(labels.dtype))
    throw new TypeError(`${caller}: labels must be float32, int32 or bool, got ${labels.dtype}`);
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum')
    throw new RangeError(`${caller}: reduction must be 'none', 'mean' or 'sum', got ${describe(reduction)}`);
  if (ignoreLabel !== undefined && !Number.isFinite(ignoreLabel))
    throw new RangeError(`${caller}: ignoreLabel must be a finite number, got ${describe(ignoreLabel)}`);
  checkBackend(caller);
}

// 65,536 labels take well under a millisecond to read where they lie in the memory of the CPU, a fraction of the loss itself;
// a batch of 64 takes microseconds. From a graphics card they would come after all the work queued before them.
const READABLE_LABELS = 65536;

function inHostMemory(): boolean {
  const name = tf.getBackend();
  if (name !== 'tensorflow') return name === 'cpu' || name === 'wasm';
  return !(tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
}

/**
 * The labels as numbers, to look for a bad one, where that takes no time: at most 65,536 of them in the memory of the CPU.
 * Otherwise nothing.
 */
export function readLabels(labels: tf.Tensor): ArrayLike<number> {
  if (labels.size > READABLE_LABELS || !inHostMemory()) return [];
  let values!: ArrayLike<number>;
  // The name of the scope tells whoever records the loss as a graph that these values decide nothing but whether to throw.
  tf.tidy('check', () => {
    values = labels.dataSync();
  });
  return values;
}

/**
 * Looks through labels that were read.
 * @throws RangeError with the first that is neither a label nor ignored
 */
export function checkLabels(
  caller: string,
  values: ArrayLike<number>,
  isLabel: (value: number) => boolean,
  { expected, ignoreLabel = NaN }: { expected: string; ignoreLabel?: number },
): void {
  const ignored = Math.fround(ignoreLabel);
  for (let i = 0; i < values.length; i++)
    if (!isLabel(values[i]) && values[i] !== ignored)
      throw new RangeError(`${caller}: labels must be ${expected}, got ${values[i]} at index ${i}`);
}

/** Labels in float32, and which of them count; null: all. */
export interface Labels {
  y: tf.Tensor;
  kept: tf.Tensor | null;
}

/**
 * Labels as a loss computes with them: 0 in place of an ignored one, NaN in place of what is no label. So no value is taken
 * for another, whether labels are read or not. Their derivative is that of the identity.
 *
 * @param isLabel  of labels in float32: true where they are some
 */
export function toLabels(
  caller: string,
  labels: tf.Tensor,
  ignoreLabel: number | undefined,
  isLabel: (y: tf.Tensor) => tf.Tensor,
): Labels {
  const all = tf.cast(labels, 'float32');
  const kept = ignoreLabel === undefined ? null : tf.notEqual(all, ignoreLabel);
  const y = withGradient(caller, [all], (all) => {
    const counted = keep(kept, all);
    return {
      value: where(isLabel(counted), counted, NaN),
      saved: [],
      gradient: (dy) => [dy],
    };
  });
  return { y, kept };
}

/** x with 0 in the places that are not kept. */
export const keep = (kept: tf.Tensor | null, x: tf.Tensor): tf.Tensor =>
  kept === null ? x : where(kept, x, 0);

/** Keeps, averages or sums losses. */
export function reduce<R extends Reduction>(
  losses: tf.Tensor,
  kept: tf.Tensor | null,
  reduction: R,
): Reduced<R> {
  if (reduction === 'none') return losses as Reduced<R>;
  if (reduction === 'sum') return tf.sum(losses) as Reduced<R>;
  if (kept === null) return losses.size > 0 ? tf.mean(losses) : tf.sum(losses); // of nothing: 0, not 0 / 0
  return tf.div(tf.sum(losses), tf.maximum(tf.sum(tf.cast(kept, 'float32')), 1));
}

/** Options of a binary focal loss of tensors. */
export interface FocalLossOptions<R extends Reduction = Reduction> extends FocalOptions, TensorOptions<R> {}

const isBinaryLabel = (value: number) => value >= 0 && value <= 1;

/**
 * A binary focal loss, of its formula.
 *
 * @param formula  from logits and labels in [0, 1], or NaN, to losses, element by element
 */
export function binaryLoss<R extends Reduction>(
  caller: string,
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha, gamma, epsilon, reduction = 'none' as R, ignoreLabel }: BinaryOptions<R>,
  formula: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): Reduced<R> {
  checkParameters(caller, { alpha, gamma, epsilon });
  checkTensors(caller, { logits, labels }, { reduction, ignoreLabel });
  if (!tf.util.arraysEqual(logits.shape, labels.shape))
    throw new RangeError(
      `${caller}: logits and labels must have one shape, got [${logits.shape}] and [${labels.shape}]`,
    );
  checkLabels(caller, readLabels(labels), isBinaryLabel, { expected: 'in [0, 1]', ignoreLabel });
  return tf.tidy(() => {
    const { y, kept } = toLabels(caller, labels, ignoreLabel, (y) => tf.equal(tf.clipByValue(y, 0, 1), y));
    return reduce(keep(kept, formula(keep(kept, logits), y)), kept, reduction);
  });
}

interface BinaryOptions<R extends Reduction> extends TensorOptions<R> {
  alpha: number | null;
  gamma: number;
  epsilon?: number;
}

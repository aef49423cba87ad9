// Bad input, named: which function, which argument, what was expected.
import { tf } from '../tf';

// Reading labels copies them from the device, after the work queued before them. 65,536 of them take well under a
// millisecond on a CPU, a fraction of the loss itself; a batch of 64 takes microseconds.
const READABLE_LABELS = 65536;

/**
 * Checks the parameters shared by all forms of the focal loss.
 * @throws RangeError naming the parameter
 */
export function checkParameters(caller: string, { alpha, gamma, epsilon = 0 }: Parameters): void {
  if (typeof alpha !== 'number' || !(alpha <= 1))
    throw new RangeError(
      `${caller}: alpha must be at most 1 (negative: no weighting), got ${describe(alpha)}`,
    );
  if (!Number.isFinite(gamma) || gamma < 0)
    throw new RangeError(`${caller}: gamma must be a finite number >= 0, got ${describe(gamma)}`);
  if (!Number.isFinite(epsilon) || epsilon < 0)
    throw new RangeError(`${caller}: epsilon must be a finite number >= 0, got ${describe(epsilon)}`);
}

interface Parameters {
  alpha: number;
  gamma: number;
  epsilon?: number;
}

/**
 * Checks the one number and label that the closed forms take.
 * @throws TypeError if the logit is not a number, RangeError if the label is not 0 or 1
 */
export function checkSample(caller: string, logit: number, label: number): void {
  if (typeof logit !== 'number')
    throw new TypeError(`${caller}: logit must be a number, got ${typeof logit}`);
  if (label !== 0 && label !== 1) throw new RangeError(`${caller}: label must be 0 or 1, got ${label}`);
}

/**
 * Checks logits, labels and reduction.
 *
 * @returns whether every label is known to be 0 or 1
 * @throws TypeError for anything but tensors, logits that are not float32, labels that are not float32, int32 or bool
 * @throws RangeError for different shapes, an unknown reduction, and for labels outside [0, 1] where they are read:
 *   in tensors of at most 65,536 elements
 */
export function checkTensors(
  caller: string,
  logits: tf.Tensor,
  labels: tf.Tensor,
  reduction: string,
): boolean {
  for (const [name, tensor] of Object.entries({ logits, labels }))
    if (!(tensor instanceof tf.Tensor))
      throw new TypeError(`${caller}: ${name} must be a tensor, got ${describe(tensor)}`);
  if (logits.dtype !== 'float32')
    throw new TypeError(`${caller}: logits must be float32, got ${logits.dtype}: cast them first`);
  if (!['float32', 'int32', 'bool'].includes(labels.dtype))
    throw new TypeError(`${caller}: labels must be float32, int32 or bool, got ${labels.dtype}`);
  if (!tf.util.arraysEqual(logits.shape, labels.shape))
    throw new RangeError(
      `${caller}: logits and labels must have one shape, got [${logits.shape}] and [${labels.shape}]`,
    );
  if (!['none', 'mean', 'sum'].includes(reduction))
    throw new RangeError(`${caller}: reduction must be 'none', 'mean' or 'sum', got ${describe(reduction)}`);
  return areHard(caller, labels);
}

function areHard(caller: string, labels: tf.Tensor): boolean {
  if (labels.dtype === 'bool') return true;
  if (labels.size > READABLE_LABELS) return labels.dtype === 'int32';
  const values = readForCheck(labels);
  let hard = true;
  for (let i = 0; i < values.length; i++) {
    const label = values[i];
    if (label === 0 || label === 1) continue;
    if (!(label > 0 && label < 1))
      throw new RangeError(`${caller}: labels must be in [0, 1], got ${label} at index ${i}`);
    hard = false;
  }
  return hard;
}

/** Under a name that tells `compile` that the values decide nothing but whether to throw. */
function readForCheck(tensor: tf.Tensor) {
  let values!: tf.TypedArray;
  tf.tidy('check', () => {
    values = tensor.dataSync();
  });
  return values;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return Array.isArray(value) ? 'an array' : String(value);
}

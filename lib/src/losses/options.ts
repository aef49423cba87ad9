// Parameters of the focal loss, and bad ones, named: which function, which argument, what was expected. Without TensorFlow.

/** Options of the binary focal loss of one number. */
export interface FocalOptions {
  /** Weight of label 1, in [0, 1]; label 0 has 1 - alpha. null, or any negative number: no weighting. Default 0.25. */
  alpha?: number | null;
  /** Focusing parameter, finite and >= 0; 0 is cross-entropy. Default 2. */
  gamma?: number;
}

/** alpha_t, the weight of a hard label. */
export function alphaT(label: number, alpha: number | null): number {
  if (isNone(alpha)) return 1;
  return label === 1 ? alpha : 1 - alpha;
}

/** Whether alpha asks for no weighting. */
export const isNone = (alpha: number | null): alpha is null => alpha === null || alpha < 0;

/**
 * Checks alpha of a binary focal loss, and what all forms share.
 * @throws RangeError naming the parameter
 */
export function checkParameters(
  caller: string,
  { alpha, gamma, epsilon = 0 }: { alpha: number | null; gamma: number; epsilon?: number },
): void {
  if (alpha !== null && (typeof alpha !== 'number' || !(alpha <= 1)))
    throw new RangeError(
      `${caller}: alpha must be at most 1 (null or negative: no weighting), got ${describe(alpha)}`,
    );
  checkGamma(caller, gamma);
  if (!Number.isFinite(epsilon) || epsilon < 0)
    throw new RangeError(`${caller}: epsilon must be a finite number >= 0, got ${describe(epsilon)}`);
}

/** @throws RangeError if gamma is not a finite number >= 0 */
export function checkGamma(caller: string, gamma: number): void {
  if (!Number.isFinite(gamma) || gamma < 0)
    throw new RangeError(`${caller}: gamma must be a finite number >= 0, got ${describe(gamma)}`);
}

/**
 * Checks alpha of a softmax focal loss.
 * @throws RangeError if it is not null, a finite number, or one finite number >= 0 per class
 */
export function checkClassWeights(caller: string, alpha: ClassWeights, classes: number): void {
  if (!Array.isArray(alpha)) {
    if (alpha !== null && !Number.isFinite(alpha))
      throw new RangeError(
        `${caller}: alpha must be a finite number, a number per class, or null, got ${describe(alpha)}`,
      );
    return;
  }
  if (alpha.length !== classes)
    throw new RangeError(`${caller}: alpha has ${alpha.length} numbers; expected one per class, ${classes}`);
  const bad = alpha.findIndex((weight) => !Number.isFinite(weight) || weight < 0);
  if (bad >= 0)
    throw new RangeError(
      `${caller}: alpha[${bad}] must be a finite number >= 0, got ${describe(alpha[bad])}`,
    );
}

/** Weights of the classes: one number for all, one per class, null or a negative number for none. */
export type ClassWeights = number | readonly number[] | null;

/**
 * Checks the one number and label that the binary closed forms take.
 * @throws TypeError if the logit is not a number, RangeError if the label is not 0 or 1
 */
export function checkSample(caller: string, logit: number, label: number): void {
  if (typeof logit !== 'number')
    throw new TypeError(`${caller}: logit must be a number, got ${typeof logit}`);
  if (label !== 0 && label !== 1)
    throw new RangeError(`${caller}: label must be 0 or 1, got ${describe(label)}`);
}

export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return Array.isArray(value) ? 'an array' : String(value);
}

// Every integer up to 48, where the sigmoids of all formats have saturated, then powers of 2.
const GRID = [
  ...Array.from({ length: 49 }, (_, i) => i),
  ...Array.from({ length: 11 }, (_, i) => 2 ** (i + 6)),
];
const PARTS = 32;
const REFINEMENTS = 3;
const CLOSINGS = 11; // 32^11 = 2^55: no number of any format is left between

/**
 * The first |logit| from which a gradient is not a finite number: on a grid of the integers from 0 to 48, the powers of 2 from 64
 * to 65,536, and the largest number of the format; then three times on a grid 32 times as fine around the first failure.
 * A failure that ends before the next number of the first grid would be missed, but for one kind: at a kink with infinite sides, as
 * |y - p|^beta of the quality focal loss has it where p is the label y, the gradient changes its sign. Wherever two neighbors of the
 * first grid have gradients of different signs, the change is followed until no number is left between. Such a failure takes a few
 * numbers of the format at most; what is returned is one of them.
 *
 * @param gradientsAt  the gradients at these |logits|, all at once: an emulation, or a program that differentiates tensors
 * @param largest  the largest number of the format
 * @returns null if all are finite
 * @see notebooks/09-census.ipynb
 */
export function firstNonFinite(
  gradientsAt: (sizes: number[]) => ArrayLike<number>,
  largest: number,
): number | null {
  let grid = [...GRID.filter((size) => size < largest), largest];
  for (let refinement = 0; ; refinement++) {
    const gradients = gradientsAt(grid);
    const first = grid.findIndex((_, i) => !Number.isFinite(gradients[i]));
    if (refinement === 0) {
      const kink = failureAtChangeOfSign(gradientsAt, grid, gradients, first < 0 ? grid.length : first);
      if (kink !== null) return kink;
    }
    if (first < 0) return null;
    if (first === 0 || refinement === REFINEMENTS) return grid[first];
    grid = between(grid[first - 1], grid[first]);
  }
}

/** Both ends and the numbers between them, in equal ratios, or in equal steps from 0. */
function between(low: number, high: number): number[] {
  return Array.from({ length: PARTS + 1 }, (_, i) => {
    if (i === 0 || i === PARTS) return i === 0 ? low : high;
    return low > 0 ? low * (high / low) ** (i / PARTS) : (high * i) / PARTS;
  });
}

/** The first of the failures at a change of sign between the first `count` numbers of the grid. */
function failureAtChangeOfSign(
  gradientsAt: (sizes: number[]) => ArrayLike<number>,
  grid: readonly number[],
  gradients: ArrayLike<number>,
  count: number,
): number | null {
  for (let i = 1; i < count; i++) {
    let [low, high] = [grid[i - 1], grid[i]];
    if (!(gradients[i - 1] * gradients[i] < 0)) continue;
    for (let closing = 0; closing < CLOSINGS; closing++) {
      const finer = between(low, high);
      const found = gradientsAt(finer);
      const failure = finer.findIndex((_, j) => !Number.isFinite(found[j]));
      if (failure >= 0) return finer[failure];
      const change = finer.findIndex((_, j) => j > 0 && !(found[j] * found[0] > 0));
      if (change < 0) break;
      [low, high] = [finer[change - 1], finer[change]];
    }
  }
  return null;
}

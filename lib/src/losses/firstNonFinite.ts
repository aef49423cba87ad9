// Every integer up to 48, where the sigmoids of all formats have saturated, then powers of 2.
const GRID = [
  ...Array.from({ length: 49 }, (_, i) => i),
  ...Array.from({ length: 11 }, (_, i) => 2 ** (i + 6)),
];
const PARTS = 32;
const REFINEMENTS = 3;

/**
 * The first |logit| from which a gradient is not a finite number: on a grid of the integers from 0 to 48, the powers of 2 from 64
 * to 65,536, and the largest number of the format; then three times on a grid 32 times as fine around the first failure.
 * A failure that ends before the next number of the first grid would be missed.
 *
 * @param gradientsAt  the gradients at these |logits|, all at once: an emulation, or a program that differentiates tensors
 * @param largest  the largest number of the format
 * @returns null if all are finite
 * @see notebooks/06-exact-focal-loss.ipynb
 */
export function firstNonFinite(
  gradientsAt: (sizes: number[]) => ArrayLike<number>,
  largest: number,
): number | null {
  let grid = [...GRID.filter((size) => size < largest), largest];
  for (let refinement = 0; ; refinement++) {
    const gradients = gradientsAt(grid);
    const first = grid.findIndex((_, i) => !Number.isFinite(gradients[i]));
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

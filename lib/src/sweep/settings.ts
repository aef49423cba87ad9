import { LOSS_NAMES, type GridLoss } from '../grid/lossNames';

/** What a sweep trains: every combination of loss, noise, gamma, threshold and seed, each by the same recipe. */
export interface SweepSettings {
  losses: readonly GridLoss[];
  /** Amplitudes of the noise. */
  noises: readonly number[];
  gammas: readonly number[];
  /** Digits <= threshold are class 1. */
  thresholds: readonly number[];
  /** Each of a run's initial weights, and of the order of its images and its noise unless `orderSeed` is given. */
  seeds: readonly number[];
  /** Of the order of the images and of the noise, the same for all seeds, which then differ in their weights only. null: the run's own seed. */
  orderSeed: number | null;
  /** The first so many of MNIST's 60,000 training images. */
  images: number;
  alpha: number;
  /** Of the stabilized loss, > 0. */
  epsilon: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  momentum: number;
}

/**
 * The paper's MNIST classification experiment: 810 training runs.
 *
 * @see data/published/README.md; van Leeuwen et al. 2025
 */
export const PAPER_SWEEP: Readonly<SweepSettings> = {
  losses: ['original', 'stabilized'],
  noises: [0, 0.5, 0.75],
  gammas: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3, 4, 5],
  thresholds: [0, 1, 2, 3, 4, 5, 6, 7, 8],
  seeds: [1],
  orderSeed: null,
  images: 60_000,
  alpha: 0.5,
  epsilon: 1e-3,
  epochs: 100,
  batchSize: 64,
  learningRate: 1e-3,
  momentum: 0.9,
};

/** The settings in a file: those of 28 November 2026 and before are without an order of their own. */
export const storedSettings = <T extends object>(found: T) => ({ orderSeed: null, ...found });

/** @throws RangeError naming the setting and what was expected */
export function checkSettings(settings: SweepSettings): void {
  const integer = (low: number, high = Infinity) => ({
    fits: (value: unknown) =>
      Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
    expected: high === Infinity ? `an integer >= ${low}` : `an integer in ${low}..${high}`,
  });
  const number = (expected: string, fits: (value: number) => boolean) => ({
    fits: (value: unknown) => Number.isFinite(value) && fits(value as number),
    expected,
  });
  const expectations = {
    losses: {
      fits: (value: unknown) => LOSS_NAMES.includes(value as GridLoss),
      expected: LOSS_NAMES.join(', '),
    },
    noises: number('a number >= 0', (value) => value >= 0),
    gammas: number('a number >= 0', (value) => value >= 0),
    thresholds: integer(0, 8),
    seeds: integer(0),
    orderSeed: {
      fits: (value: unknown) => value === null || integer(0).fits(value),
      expected: 'an integer >= 0, or null',
    },
    images: integer(1, 60_000),
    alpha: number('a number in [0, 1]', (value) => value >= 0 && value <= 1),
    epsilon: number('a number > 0', (value) => value > 0),
    epochs: integer(1),
    batchSize: integer(1),
    learningRate: number('a number > 0', (value) => value > 0),
    momentum: number('a number in [0, 1)', (value) => value >= 0 && value < 1),
  } satisfies Record<keyof SweepSettings, unknown>;

  for (const [name, { fits, expected }] of Object.entries(expectations)) {
    const setting = settings[name as keyof SweepSettings];
    const values: readonly unknown[] = Array.isArray(setting) ? setting : [setting];
    if (values.length === 0) throw new RangeError(`runSweep: ${name} is empty; expected at least one`);
    const wrong = values.find((value) => !fits(value));
    if (wrong !== undefined || values.includes(undefined))
      throw new RangeError(`runSweep: ${name}: ${wrong}; expected ${expected}`);
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    if (twice !== undefined) throw new RangeError(`runSweep: ${name}: ${twice} is there twice`);
  }
}

import { median, medianInterval } from '../evaluation/median';

/** When a run of the grid met its first NaN. */
export interface CellDeath {
  gamma: number;
  threshold: number;
  /** The first is 0; null if there was none in the epochs trained. */
  firstNanEpoch: number | null;
  /** Complete epochs without NaN. */
  epochs: number;
}

/** A published run does not say its epochs: it was trained to its end. */
type GridRun = Omit<CellDeath, 'epochs'> & Partial<CellDeath>;

/** One setting in two grids. */
export interface DeathPair {
  gamma: number;
  threshold: number;
  first: CellDeath;
  second: CellDeath;
}

export interface DeathComparison {
  /** The settings that both grids have, in the order of the first. */
  pairs: DeathPair[];
  /** NaN in both, in one only, in neither. */
  both: number;
  onlyFirst: number;
  onlySecond: number;
  neither: number;
  /** A run without NaN has not been trained to the end: it may meet one yet. */
  undecided: number;
  /** Of the epochs at which both met their NaN: Spearman's rank correlation; null for fewer than three such settings. */
  rankCorrelation: number | null;
  /**
   * Of two settings of which both grids tell which one met its NaN first (a run without NaN outlives those that ended within its
   * epochs): the fraction for which they agree; null if there is no such pair. Runs without NaN count, too.
   */
  concordance: number | null;
  /** Of the epochs at which both met their NaN, counted from 1: median of second / first; null if there is none. */
  medianRatio: number | null;
  /** Of the same: median of the larger divided by the smaller, so that early and late do not cancel; null if there is none. */
  medianFactor: number | null;
  /** The ends of its 95 % confidence interval (`medianInterval`); null for fewer than six settings. */
  factorLow: number | null;
  factorHigh: number | null;
}

/**
 * Compares when the runs of two grids met their first NaN, setting by setting.
 *
 * @param end  epochs of a complete run
 * @throws RangeError if they have no setting in common, or a setting is twice in one of them
 * @see notebooks/11-the-grid.ipynb
 */
export function compareDeaths(
  first: readonly GridRun[],
  second: readonly GridRun[],
  end: number,
): DeathComparison {
  const key = ({ gamma, threshold }: GridRun) => `gamma ${gamma}, threshold ${threshold}`;
  const cellOf = ({ gamma, threshold, firstNanEpoch, epochs = firstNanEpoch ?? end }: GridRun): CellDeath => {
    return { gamma, threshold, firstNanEpoch, epochs };
  };
  for (const cells of [first, second]) {
    const keys = cells.map(key);
    const twice = keys.find((one, i) => keys.indexOf(one) !== i);
    if (twice !== undefined) throw new RangeError(`compareDeaths: ${twice} is there twice`);
  }
  const others = new Map(second.map((cell) => [key(cell), cell]));
  const pairs = first.flatMap((cell): DeathPair[] => {
    const other = others.get(key(cell));
    const { gamma, threshold } = cell;
    return other === undefined ? [] : [{ gamma, threshold, first: cellOf(cell), second: cellOf(other) }];
  });
  if (pairs.length === 0) throw new RangeError('compareDeaths: the two grids have no setting in common');

  const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0, undecided: 0 };
  for (const pair of pairs) counts[verdict(pair, end)]++;
  const dead = pairs.filter((pair) => verdict(pair, end) === 'both');
  const counted = dead.map((pair) => [pair.first.firstNanEpoch! + 1, pair.second.firstNanEpoch! + 1]);
  const ratios = counted.map(([a, b]) => b / a);
  const factors = ratios.map((ratio) => Math.max(ratio, 1 / ratio));
  const interval = medianInterval(factors);
  return {
    pairs,
    ...counts,
    rankCorrelation: counted.length < 3 ? null : spearman(counted),
    concordance: concordance(pairs),
    medianRatio: ratios.length > 0 ? median(ratios) : null,
    medianFactor: ratios.length > 0 ? median(factors) : null,
    ...{ factorLow: interval?.low ?? null, factorHigh: interval?.high ?? null },
  };
}

function verdict(
  { first, second }: DeathPair,
  end: number,
): 'both' | 'onlyFirst' | 'onlySecond' | 'neither' | 'undecided' {
  const [one, other] = [first.firstNanEpoch, second.firstNanEpoch];
  if ([first, second].some(({ firstNanEpoch, epochs }) => firstNanEpoch === null && epochs < end))
    return 'undecided';
  if (one === null) return other === null ? 'neither' : 'onlySecond';
  return other === null ? 'onlyFirst' : 'both';
}

function concordance(pairs: readonly DeathPair[]): number | null {
  let [alike, all] = [0, 0];
  pairs.forEach((a, i) => {
    for (const b of pairs.slice(i + 1)) {
      const orders = [earlier(a.first, b.first), earlier(a.second, b.second)];
      if (orders.includes(0)) continue;
      all++;
      if (orders[0] === orders[1]) alike++;
    }
  });
  return all === 0 ? null : alike / all;
}

/** -1: the first met its NaN before the other; 1: after it; 0: that is not known, or both did in the same epoch. */
function earlier(one: CellDeath, other: CellDeath): -1 | 0 | 1 {
  const before = (a: CellDeath, b: CellDeath) =>
    a.firstNanEpoch !== null && a.firstNanEpoch < (b.firstNanEpoch ?? b.epochs);
  if (before(one, other)) return -1;
  return before(other, one) ? 1 : 0;
}

/** Spearman's rank correlation: Pearson's, of the ranks. */
function spearman(pairs: readonly number[][]): number {
  const [x, y] = [0, 1].map((side) => ranks(pairs.map((pair) => pair[side])));
  const mean = (pairs.length + 1) / 2;
  const sum = (f: (i: number) => number) => pairs.reduce((total, _, i) => total + f(i), 0);
  const covariance = sum((i) => (x[i] - mean) * (y[i] - mean));
  return covariance / Math.sqrt(sum((i) => (x[i] - mean) ** 2) * sum((i) => (y[i] - mean) ** 2));
}

/** From 1; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const smaller = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return smaller + (equal + 1) / 2;
  });
}

// The closing tables of notebooks/05-mnist-segmentation.ipynb.
import type { Comparison } from '../results';

/** What was published and what came out here, in words, one row per training, for `show`. */
export function comparisonTable(comparisons: readonly Comparison[]): Record<string, string | number>[] {
  return comparisons.map(({ experiment, loss, noise, published, ours, difference, from }) => ({
    experiment,
    loss,
    noise,
    'published first NaN': published === null ? 'no such run' : firstNan(published),
    'published mean loss (epoch)': published === null ? '' : lastLoss(published),
    'our first NaN': firstNan(ours) + (ours.firstNanStep === null ? '' : `, step ${ours.firstNanStep}`),
    'our mean loss (epoch)': lastLoss(ours),
    profile: from.profile,
    difference: describe(difference, published),
  }));
}

/** Where, when and how the results of each experiment were made, for `show`. */
export function comparisonSources(comparisons: readonly Comparison[]): Record<string, string>[] {
  const sources = new Map(
    comparisons.map(({ experiment, from }) => [`${experiment} ${from.profile}`, { experiment, from }]),
  );
  return [...sources.values()].map(({ experiment, from: { profile, device, date, unlikePaper, file } }) => ({
    experiment,
    profile,
    device,
    date,
    "unlike the paper's settings": unlikePaper.join(', ') || 'none',
    file,
  }));
}

type Outcome = NonNullable<Comparison['published']>;

function firstNan({ firstNanEpoch, lastEpoch }: Outcome): string {
  return firstNanEpoch === null ? `none in ${(lastEpoch ?? -1) + 1} epochs` : `epoch ${firstNanEpoch}`;
}

const lastLoss = ({ lastLoss, lastEpoch }: Outcome) =>
  lastLoss === null ? 'no complete epoch' : `${lastLoss.toPrecision(3)} (${lastEpoch})`;

function describe(difference: Comparison['difference'], published: Comparison['published']): string {
  if (published === null) return '';
  if (difference === null) return 'not comparable';
  const { firstNanEpoch, epoch, loss } = difference;
  const signed = (x: number, text: string) => (x < 0 ? `−${text.slice(1)}` : `+${text}`);
  const later = firstNanEpoch === null ? '' : `first NaN ${signed(firstNanEpoch, String(firstNanEpoch))}; `;
  return `${later}loss ${signed(loss, loss.toPrecision(2))} in epoch ${epoch}`;
}

import { accepts, rejects, survivesAnything } from './verdicts';
import { describe } from 'node:test';
import { exercise9, toDataFrame } from 'focal-loss-lab';

type Frame = ReturnType<typeof toDataFrame>;
type Answer = (frame: Frame, value: number) => number;
interface Row {
  loss: string;
  noise: number;
  gamma: number;
  threshold: number;
  firstNanEpoch: number;
}

/** The frame as rows, by its columns. */
const rowsOf = (frame: Frame) =>
  frame.values.map(
    (row) =>
      Object.fromEntries(frame.columns.map((name, i) => [name, (row as unknown[])[i]])) as unknown as Row,
  );
const originals = (frame: Frame) => rowsOf(frame).filter(({ loss }) => loss === 'original');
const late = (epoch: number) => (Number.isNaN(epoch) ? Infinity : epoch);

describe('the check of the count of NaN', () => {
  const ended = (frame: Frame, isCounted: (row: Row) => boolean) => rowsOf(frame).filter(isCounted).length;
  const query: Answer = (frame, noise) => {
    const original = frame.groupby(['loss']).getGroup(['original']);
    const met = original.column('firstNanEpoch').ge(0);
    return original.query(original.column('noise').eq(noise).and(met)).shape[0];
  };
  accepts(exercise9.nanCount, {
    'a query': query,
    'a group and a count': ((frame, noise) => {
      const group = frame.groupby(['loss', 'noise']).getGroup(['original', noise]);
      return (group.column('firstNanEpoch').values as number[]).filter(Number.isFinite).length;
    }) satisfies Answer,
    rows: ((frame, noise) =>
      originals(frame).filter((row) => row.noise === noise && row.firstNanEpoch >= 0)
        .length) satisfies Answer,
  });
  rejects(exercise9.nanCount, {
    'the published numbers': [
      ((_frame, noise) => ({ 0: 78, 0.5: 72, 0.75: 64 })[noise]!) satisfies Answer,
      /is wrong.*another grid/,
    ],
    'all runs of the loss': [
      ((frame, noise) =>
        ended(frame, (row) => row.loss === 'original' && row.noise === noise)) satisfies Answer,
      /also those without/,
    ],
    'those without a NaN': [
      ((frame, noise) =>
        ended(
          frame,
          (row) => row.loss === 'original' && row.noise === noise && Number.isNaN(row.firstNanEpoch),
        )) satisfies Answer,
      /these are the runs that met none/,
    ],
    'both losses': [
      ((frame, noise) =>
        ended(frame, (row) => row.noise === noise && row.firstNanEpoch >= 0)) satisfies Answer,
      /both losses/,
    ],
    'every amplitude': [
      ((frame) => originals(frame).filter(({ firstNanEpoch }) => firstNanEpoch >= 0).length) satisfies Answer,
      /makes no difference/,
    ],
  });
  survivesAnything(exercise9.nanCount);
});

describe('the check of the median epoch', () => {
  const middle = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
  const epochs = (frame: Frame, gamma: number) =>
    originals(frame)
      .filter((row) => row.gamma === gamma && row.noise === 0)
      .map(({ firstNanEpoch }) => firstNanEpoch);
  const right: Answer = (frame, gamma) => middle(epochs(frame, gamma).map(late));
  accepts(exercise9.medianEpoch, {
    rows: right,
    'a group': ((frame, gamma) => {
      const group = frame.groupby(['loss', 'noise', 'gamma']).getGroup(['original', 0, gamma]);
      return middle((group.column('firstNanEpoch').values as number[]).map(late));
    }) satisfies Answer,
  });
  const median = (values: number[]) => {
    const sorted = [...values].sort((a, b) => a - b);
    const at = sorted.length >> 1;
    return sorted.length % 2 ? sorted[at] : (sorted[at - 1] + sorted[at]) / 2;
  };
  const ended = (frame: Frame, gamma: number) => epochs(frame, gamma).filter(Number.isFinite);
  rejects(exercise9.medianEpoch, {
    'the runs without a NaN left out': [
      ((frame, gamma) => median(ended(frame, gamma))) satisfies Answer,
      /are left out; they are later/,
    ],
    'a mean of the others': [
      ((frame, gamma) =>
        ended(frame, gamma).reduce((a, b) => a + b, 0) / ended(frame, gamma).length) satisfies Answer,
      /this is a mean/,
    ],
    'none as epoch 0': [
      ((frame, gamma) =>
        middle(epochs(frame, gamma).map((epoch) => (Number.isNaN(epoch) ? 0 : epoch)))) satisfies Answer,
      /counted as epoch 0/,
    ],
    'counted from 1': [((...args) => right(...args) + 1) satisfies Answer, /from 0 in the frame/],
    'with noise': [
      ((frame, gamma) =>
        median(
          originals(frame)
            .filter((row) => row.gamma === gamma)
            .map(({ firstNanEpoch }) => late(firstNanEpoch)),
        )) satisfies Answer,
      /with noise are in it/,
    ],
    'both losses': [
      ((frame, gamma) =>
        median(
          rowsOf(frame)
            .filter((row) => row.gamma === gamma && row.noise === 0)
            .map(({ firstNanEpoch }) => late(firstNanEpoch)),
        )) satisfies Answer,
      /stabilized loss are in it/,
    ],
  });
  survivesAnything(exercise9.medianEpoch);
});

describe('the check of noise and clean', () => {
  const count = (isCounted: (noisy: number, clean: number) => boolean): Answer => {
    return (frame, noise) => {
      const runs = originals(frame);
      const of = (amplitude: number) => runs.filter((run) => run.noise === amplitude);
      return of(0).filter((clean) => {
        const noisy = of(noise).find(
          ({ gamma, threshold }) => gamma === clean.gamma && threshold === clean.threshold,
        )!;
        return isCounted(late(noisy.firstNanEpoch), late(clean.firstNanEpoch));
      }).length;
    };
  };
  accepts(exercise9.later, { 'setting by setting': count((noisy, clean) => noisy > clean) });
  rejects(exercise9.later, {
    'only where both met one': [
      count((noisy, clean) => noisy > clean && noisy < Infinity),
      /are left out; it is later than any/,
    ],
    'as late or later': [count((noisy, clean) => noisy >= clean), /later is more than that/],
    'the other way round': [count((noisy, clean) => noisy < clean), /noisy run was sooner/],
    'the published numbers': [
      ((_frame, noise) => (noise === 0.5 ? 63 : 74)) satisfies Answer,
      /later\(frame, .*is wrong/,
    ],
  });
  survivesAnything(exercise9.later);
});

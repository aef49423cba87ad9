import { readResults, type NotebookResults } from './notebookResults';
import { cifar10, mnistLosses, segmentation, type PublishedLoss, type PublishedSettings } from './published';

type PaperLoss = PublishedSettings['loss'];

export interface Experiment {
  title: string;
  /** The notebook, whose results have its name. */
  notebook: string;
  /** The published run; throws RangeError if there is none. */
  published: (loss: PaperLoss, noise: number) => readonly PublishedLoss[];
}

const EXPERIMENTS: readonly Experiment[] = [
  {
    title: 'MNIST classification',
    notebook: '03-mnist-classification',
    published: (loss, noise) => mnistLosses({ loss, noise, gamma: 0.1, threshold: 0 }),
  },
  {
    title: 'CIFAR-10 classification, CNN',
    notebook: '04-cifar10-classification',
    published: cifar10,
  },
  {
    title: 'MNIST segmentation',
    notebook: '05-mnist-segmentation',
    published: segmentation,
  },
];

/** How a training run ended. */
export interface Outcome {
  /** null: it met none */
  firstNanEpoch: number | null;
  /** The last complete epoch; null if there was none. */
  lastEpoch: number | null;
  /** The mean loss of that epoch. */
  lastLoss: number | null;
}

/** One training run of ours next to the paper's. */
export interface Comparison {
  experiment: string;
  loss: string;
  noise: number;
  /** null: the paper has no such run */
  published: Outcome | null;
  ours: Outcome & { firstNanStep: number | null };
  /** null: there is no published run, it had other settings, or the two have no epoch in common */
  difference: {
    /** Ours minus published; null unless both met a NaN. */
    firstNanEpoch: number | null;
    /** The last epoch that both completed. */
    epoch: number;
    /** Ours minus published mean loss of that epoch. */
    loss: number;
  } | null;
  from: Omit<NotebookResults, 'rows'>;
}

/**
 * Every training run whose results the notebooks of the three experiments have kept (`writeResults`), next to the published one.
 * With other settings than the paper's nothing is subtracted: a loss on other images and an epoch of another length are
 * not the same quantity.
 *
 * @throws Error naming the file if one of the results or of the published files is damaged
 */
export function readExperiments(): Comparison[] {
  return EXPERIMENTS.flatMap((experiment) =>
    readResults(experiment.notebook).flatMap((results) => besidePaper(results, experiment)),
  );
}

/** The training runs of one notebook, in the order of their rows, next to the published ones. */
export function besidePaper(
  results: NotebookResults,
  experiment: Omit<Experiment, 'notebook'>,
): Comparison[] {
  const { rows, ...from } = results;
  const keys = [...new Set(rows.map(({ loss, noise }) => `${loss},${noise}`))];
  return keys.map((key) => {
    const own = rows.filter(({ loss, noise }) => `${loss},${noise}` === key);
    const { loss, noise } = own[0];
    const theirs = publishedCurve(experiment, loss, noise);
    const published = theirs && outcome(theirs);
    const firstNanStep = own.find(({ meanLoss }) => meanLoss === null)?.step ?? null;
    const ours = { ...outcome(own), firstNanStep };
    const last = Math.min(ours.lastEpoch ?? -1, published?.lastEpoch ?? -1);
    const difference =
      theirs === null || published === null || from.unlikePaper.length > 0 || last < 0
        ? null
        : {
            firstNanEpoch:
              ours.firstNanEpoch === null || published.firstNanEpoch === null
                ? null
                : ours.firstNanEpoch - published.firstNanEpoch,
            epoch: last,
            loss: own[last].meanLoss! - theirs[last].meanLoss!, // both completed it
          };
    return { experiment: experiment.title, loss, noise, published, ours, difference, from };
  });
}

function publishedCurve(
  { published }: Omit<Experiment, 'notebook'>,
  loss: string,
  noise: number,
): readonly PublishedLoss[] | null {
  if (loss !== 'original' && loss !== 'stabilized') return null;
  try {
    return published(loss, noise);
  } catch (error) {
    if (error instanceof RangeError) return null; // not one of the paper's noises
    throw error;
  }
}

function outcome(curve: readonly PublishedLoss[]): Outcome {
  const firstNanEpoch = curve.find(({ meanLoss }) => meanLoss === null)?.epoch ?? null;
  const last = curve.filter(({ meanLoss }) => meanLoss !== null).at(-1);
  return { firstNanEpoch, lastEpoch: last?.epoch ?? null, lastLoss: last?.meanLoss ?? null };
}

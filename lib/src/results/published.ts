import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Papa from 'papaparse';

/** Which of the paper's MNIST classification runs. */
export interface PublishedSettings {
  loss: 'original' | 'stabilized';
  /** Amplitude of the noise: 0, 0.5 or 0.75. */
  noise: number;
  /** 0, 0.1, ..., 0.9, 1, 2, 3, 4 or 5. */
  gamma: number;
  /** 0..8: digits <= threshold are class 1. */
  threshold: number;
}

export interface PublishedRun extends PublishedSettings {
  /** The first is 0; null: none in 100 epochs. */
  firstNanEpoch: number | null;
  /** Mean loss of the last epoch before that, or of the last one. */
  lastFiniteLoss: number;
}

export interface PublishedLoss {
  /** The first is 0. */
  epoch: number;
  /** null in the epoch of the first NaN, which is the last. */
  meanLoss: number | null;
}

const FOLDER = path.join(__dirname, '..', '..', '..', 'data', 'published');
const RUNS = {
  name: 'mnist-classification-runs.csv',
  sha256: 'ebe57933a5df0f008dd5f9e61ddf0c63db79ad3f92cfccfeed517d65933decaf',
};
const LOSSES = {
  name: 'mnist-classification-losses.csv',
  sha256: 'c6c3f23bb0fd44572704cb649b7b76501567a2555d527970366d96166e56bcaf',
};
const CIFAR10 = {
  name: 'cifar10-classification.csv',
  sha256: '316575df0234257ab15da0ab28f5a333307632d644dc4377f185227543440d97',
};
const SEGMENTATION = {
  name: 'mnist-segmentation.csv',
  sha256: 'ef7d3eb7d1995eb981c50dd5572a72610b64ef05ef15c629e7f7e01e238448ec',
};
/** Of a run that met no NaN, by its file. */
const EPOCHS = { mnist: 100, segmentation: 1000 };

let runs: readonly PublishedRun[] | undefined;
let losses: ReadonlyMap<string, readonly PublishedLoss[]> | undefined;

/**
 * The 810 MNIST classification runs of the paper: at which epoch the loss became NaN.
 *
 * @throws Error if the file is missing or is not the published one
 * @see data/published/README.md; van Leeuwen et al. 2025
 */
export function mnistRuns(): PublishedRun[] {
  runs ??= readPublished(RUNS).map(([loss, noise, gamma, threshold, firstNanEpoch, lastFiniteLoss]) => ({
    loss: loss as PublishedRun['loss'],
    noise: Number(noise),
    gamma: Number(gamma),
    threshold: Number(threshold),
    firstNanEpoch: firstNanEpoch === '' ? null : Number(firstNanEpoch),
    lastFiniteLoss: Number(lastFiniteLoss),
  }));
  return runs.map((run) => ({ ...run }));
}

/**
 * Mean loss per epoch of one of these runs.
 *
 * @throws RangeError if there is no such run, Error if the file is missing or is not the published one
 * @see data/published/README.md; van Leeuwen et al. 2025
 */
export function mnistLosses(settings: PublishedSettings): PublishedLoss[] {
  losses ??= readLosses();
  const { loss, noise, gamma, threshold } = settings;
  const found = losses.get(`${loss},${noise},${gamma},${threshold}`);
  if (found === undefined)
    throw new RangeError(
      `published.mnistLosses: no run with loss ${loss}, noise ${noise}, gamma ${gamma}, threshold ${threshold}; ` +
        'there are loss original, stabilized; noise 0, 0.5, 0.75; gamma 0, 0.1, ..., 0.9, 1, 2, 3, 4, 5; threshold 0..8',
    );
  return withFirstNan(
    found.map((epoch) => ({ ...epoch })),
    EPOCHS.mnist,
  );
}

/**
 * Mean loss and accuracy per epoch of the paper's CNN on CIFAR-10, gamma 0.5. The original loss ends with its first NaN; the
 * accuracy of that epoch is of the batches before the NaN and those after it together.
 *
 * The accuracy counts logits above 0.5, not above 0, as positive: see notebooks/04-cifar10-classification.ipynb.
 *
 * @throws Error if the file is missing or is not the published one
 * @see data/published/README.md; van Leeuwen et al. 2025
 */
export function cifar10(loss: PublishedSettings['loss']): (PublishedLoss & { accuracy: number })[] {
  return readPublished(CIFAR10)
    .filter((row) => row[0] === loss)
    .map(([, epoch, meanLoss, accuracy]) => ({
      epoch: Number(epoch),
      meanLoss: meanLoss === '' ? null : Number(meanLoss),
      accuracy: Number(accuracy),
    }));
}

/**
 * Mean loss per epoch of the paper's U-Net on MNIST, gamma 0.5. The original loss ends with its first NaN, if it met one.
 *
 * @param noise  amplitude: 0, 0.5 or 0.75
 * @throws RangeError for any other noise, Error if the file is missing or is not the published one
 * @see data/published/README.md; van Leeuwen et al. 2025
 */
export function segmentation(loss: PublishedSettings['loss'], noise: number): PublishedLoss[] {
  const found = readPublished(SEGMENTATION).filter((row) => row[0] === loss && Number(row[1]) === noise);
  if (found.length === 0)
    throw new RangeError(
      `published.segmentation: no run with loss ${loss}, noise ${noise}; there are loss original, stabilized; noise 0, 0.5, 0.75`,
    );
  return withFirstNan(
    found.map(([, , epoch, meanLoss]) => ({ epoch: Number(epoch), meanLoss: Number(meanLoss) })),
    EPOCHS.segmentation,
  );
}

/** The files leave out the epochs from the first NaN on. */
function withFirstNan(rows: readonly PublishedLoss[], epochs: number): PublishedLoss[] {
  return rows.length < epochs ? [...rows, { epoch: rows.length, meanLoss: null }] : [...rows];
}

function readLosses(): ReadonlyMap<string, readonly PublishedLoss[]> {
  const byRun = new Map<string, PublishedLoss[]>();
  for (const [loss, noise, gamma, threshold, epoch, meanLoss] of readPublished(LOSSES)) {
    const key = `${loss},${Number(noise)},${Number(gamma)},${Number(threshold)}`;
    const run = byRun.get(key) ?? [];
    run.push({ epoch: Number(epoch), meanLoss: Number(meanLoss) });
    byRun.set(key, run);
  }
  return byRun;
}

/** Rows of a published file, without its header line. */
function readPublished({ name, sha256 }: typeof RUNS): string[][] {
  const file = path.join(FOLDER, name);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`data/published/${name} cannot be read: ${(error as Error).message}`);
  }
  if (createHash('sha256').update(content).digest('hex') !== sha256)
    throw new Error(
      `data/published/${name} is not the published file (its SHA-256 differs); restore it: git checkout data/published`,
    );
  return Papa.parse<string[]>(content, { skipEmptyLines: true, delimiter: ',' }).data.slice(1);
}

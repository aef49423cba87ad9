// Run by checkpoint.test.ts as a process of its own, which may be killed: trains a small network, perhaps with a checkpoint,
// and sends the run and the weights to its parent. Kills itself in the middle of the given step, or between the writing and
// the renaming of a file.
import promises from 'node:fs/promises';
import {
  lenet,
  stabilizedSigmoidFocalLoss,
  tf,
  train,
  unet,
  type Loss,
  type TrainingOptions,
  type TrainingRun,
} from 'focal-loss-lab';

export interface Plan {
  network: 'lenet' | 'unet';
  /** The initial weights: in a resumed run they do not matter. */
  modelSeed: number;
  checkpoint?: string;
  epochs?: number;
  killInStep?: number;
  killBeforeRename?: number;
}

export interface Outcome {
  run: TrainingRun;
  weights: number[][];
}

const SAMPLES = 20;
const SETTINGS = { batchSize: 6, learningRate: 0.05, momentum: 0.9, seed: 7, noise: 0.5, recordEvery: 3 };

const die = () => process.kill(process.pid, 'SIGKILL');

const loss: Loss = (logits, labels) =>
  stabilizedSigmoidFocalLoss(logits, labels, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });

/** Comes before every step; that of a single image looks at its shape only. */
function dyingAugmentation(step = Infinity): NonNullable<TrainingOptions['augment']> {
  let steps = 0;
  return (images) => {
    if (images.shape[0] > 1 && ++steps === step) die();
    return images;
  };
}

function dieBeforeRename(count: number): void {
  const { rename } = promises;
  let renames = 0;
  promises.rename = async (from, to) => {
    if (++renames === count) die();
    await rename(from, to);
  };
}

async function main(plan: Plan): Promise<void> {
  const { network, modelSeed, checkpoint, epochs = 4, killInStep, killBeforeRename } = plan;
  if (killBeforeRename !== undefined) dieBeforeRename(killBeforeRename);
  const model =
    network === 'lenet'
      ? lenet({ size: 16, seed: modelSeed })
      : unet({ size: 16, width: 2, depth: 1, seed: modelSeed });
  const images = tf.randomUniform<tf.Rank.R4>([SAMPLES, 16, 16, 1], 0, 1, 'float32', 3);
  const labels = tf.tidy(() =>
    network === 'lenet'
      ? tf.greater(tf.mean(images, [1, 2, 3]), 0.5).toFloat()
      : tf.greater(images, 0.5).toFloat(),
  );
  const augment = dyingAugmentation(killInStep);
  const run = await train(model, { images, labels, loss, augment, epochs, checkpoint, ...SETTINGS });
  const weights = model.getWeights().map((weight) => Array.from(weight.dataSync()));
  process.send?.({ run, weights } satisfies Outcome);
}

void main(JSON.parse(process.argv[2]) as Plan);

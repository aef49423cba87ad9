// Run by checkpoint.test.ts as a process of its own, since Stop is a signal to a process: in a fake kernel, trains a model, is
// stopped in the middle of the second epoch, and trains the same model again, as a reader does who runs the cell again.
import { outputs, startCell } from '../display/fakeKernel';
import { handlerIsThere, pressStop } from '../display/pressStop';
import { lenet, stabilizedSigmoidFocalLoss, tf, train, type Loss, type TrainingRun } from 'focal-loss-lab';

export interface StoppedOutcome {
  error: string;
  stoppedLine: string;
  resumedLine: string;
  resumed: TrainingRun;
  undisturbed: TrainingRun;
  sameWeights: boolean;
}

const lastLine = () => outputs[outputs.length - 1].data['text/plain'];

async function main(checkpoint: string): Promise<void> {
  await handlerIsThere();
  const images = tf.randomUniform<tf.Rank.R4>([6, 16, 16, 1], 0, 1, 'float32', 3);
  const labels = tf.tensor1d([0, 1, 0, 1, 0, 1], 'float32');
  const loss: Loss = (x, y) =>
    stabilizedSigmoidFocalLoss(x, y, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });
  let steps = 0;
  const stopInStep5 = (batch: tf.Tensor4D) => {
    if (batch.shape[0] === 2 && ++steps === 5) pressStop();
    return batch;
  };
  const options = {
    images,
    labels,
    loss,
    epochs: 3,
    batchSize: 2,
    learningRate: 0.05,
    momentum: 0.9,
    seed: 2,
  };
  const [model, other] = [lenet({ size: 16, seed: 1 }), lenet({ size: 16, seed: 1 })];
  let error = 'none';
  await train(model, { ...options, augment: stopInStep5, checkpoint }).catch((e) => (error = String(e)));
  const stoppedLine = lastLine();

  startCell();
  const resumed = await train(model, { ...options, checkpoint });
  const resumedLine = lastLine();
  const undisturbed = await train(other, options);
  const [ours, theirs] = [model, other].map((m) => m.getWeights().map((weight) => weight.dataSync().join()));
  const sameWeights = ours.join() === theirs.join();
  const outcome: StoppedOutcome = { error, stoppedLine, resumedLine, resumed, undisturbed, sameWeights };
  process.send?.(outcome);
}

void main(process.argv[2]);

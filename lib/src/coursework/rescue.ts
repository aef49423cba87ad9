// Exercise 4: train to death, and rescue.
import { Interrupted } from '../display/breathe';
import { predictLogits } from '../evaluation';
import { tf } from '../tf';
import type { TrainingRun } from '../training';
import { ask, kindOf, text } from './ask';
import { judge, messageOf, NotAttempted, Wrong } from './verdict';

const LN2 = Math.LN2;
const STEPS_AFTER_RESCUE = 100;
const ACCURACY = 0.97;

/**
 * Checks 4.1: a training that died of the NaN which this course is about.
 *
 * @param run    what `train` has returned
 * @param model  the model that was trained
 */
export function death(run: unknown, model: unknown): Promise<void> {
  return judge({
    '4.1 the death': () => {
      if (run === undefined && model === undefined) throw new NotAttempted();
      const { diverged } = trainingRun(run, 'run');
      const weights = finiteWeights(trainedModel(model));
      if (diverged === null)
        throw new Wrong(
          'it has not died. Which gamma, and which learning rate, bring the logits to the wall?',
        );
      const { what, maxAbsLogit, step } = diverged;
      if (!what.startsWith('gradient'))
        throw new Wrong(
          `it died of another illness: '${what}' was not finite. Is the learning rate too large?`,
        );
      if (!(maxAbsLogit > 24 * LN2))
        throw new Wrong(
          'its logits had not reached the wall: this gradient is not finite for another reason',
        );
      if (maxAbsLogit > 1000)
        throw new Wrong(
          `its largest logit was ${maxAbsLogit.toPrecision(2)}: that is an explosion. Try a smaller learning rate`,
        );
      if (step < 10) throw new Wrong(`it died in step ${step}, before it could learn anything`);
      if (!weights)
        throw new Wrong('the weights of this model are not finite: train() would have kept them so');
    },
  });
}

/**
 * Checks 4.2: which examples of a batch the textbook loss, 0 < gamma < 1, cannot differentiate in float32.
 *
 * @param answer  (logits, labels) => the indices of those beyond the wall of their label, in ascending order
 */
export function beyondTheWall(answer: unknown): Promise<void> {
  const cases: { logits: number[]; labels: number[]; about: string }[] = [
    { logits: [17, 3, 16, 40], labels: [1, 1, 1, 1], about: 'easy examples of label 1' },
    {
      logits: [-18, -17, -3, -60],
      labels: [0, 0, 0, 0],
      about: 'easy examples of label 0, whose wall is another',
    },
    { logits: [-20, 20, 20, -20], labels: [1, 1, 0, 0], about: 'hard mistakes among them' },
    { logits: [1, -1, 0], labels: [1, 0, 1], about: 'nobody beyond the wall' },
  ];
  return judge({
    '4.2 who is beyond the wall': () => {
      for (const { logits, labels, about } of cases) {
        const call = { name: 'beyondTheWall', args: [logits, labels] };
        const found = ask(answer, call, indices(text(call)));
        const expected = logits.flatMap((x, i) => (isBeyond(x, labels[i]) ? [i] : []));
        if (found.length !== expected.length || found.some((index, i) => index !== expected[i]))
          throw new Wrong(`${text(call)} is [${found.join(', ')}], which is wrong (${about})`);
      }
    },
  });
}

const isBeyond = (logit: number, label: number) => (label === 1 ? logit > 24 * LN2 : logit < -25 * LN2);

function indices(call: string) {
  return (returned: unknown): number[] => {
    if (!Array.isArray(returned) || !returned.every((index) => Number.isInteger(index)))
      throw new Wrong(
        `${call} returns ${Array.isArray(returned) ? 'an array of other things' : kindOf(returned)}; expected an array of indices`,
      );
    return returned as number[];
  };
}

/**
 * Checks 4.3: a training that goes on from the weights of the dead one. It is run here, and changes the model.
 *
 * @param answer  (model) => Promise of what `train` returns
 * @param model   the model at its death
 * @param data    images, and labels 0 and 1, on which its accuracy is measured
 */
export function rescue(
  answer: unknown,
  model: unknown,
  { images, labels }: { images: tf.Tensor4D; labels: tf.Tensor1D },
): Promise<void> {
  return judge({
    '4.3 the rescue': async () => {
      if (answer === undefined) throw new NotAttempted();
      if (typeof answer !== 'function') throw new Wrong(`rescue is ${kindOf(answer)}; expected a function`);
      if (model === undefined) throw new NotAttempted('there is no dead model yet, 4.1 comes first');
      const patient = trainedModel(model);
      const before = weightsOf(patient);
      const run = trainingRun(
        await awaited(answer as (model: unknown) => unknown, patient),
        'what rescue returns',
      );
      if (run.diverged !== null)
        throw new Wrong(`the training died again, in step ${run.diverged.step}: '${run.diverged.what}'`);
      const steps = run.records.at(-1)?.step ?? 0;
      if (steps < STEPS_AFTER_RESCUE)
        throw new Wrong(`it went on for ${steps} steps only; give it at least ${STEPS_AFTER_RESCUE}`);
      const after = weightsOf(patient);
      if (before.every((values, i) => values.every((value, j) => value === after[i][j])))
        throw new Wrong(
          'the weights of the dead model have not moved: is it another model that was trained?',
        );
      if (!finiteWeights(patient)) throw new Wrong('some weights are not finite afterwards');
      if (!(startedAsGoodAs(run) && accuracy(patient, images, labels) >= ACCURACY))
        throw new Wrong(
          'it lives, but has forgotten what it knew: go on from the weights it had, and with a learning rate that keeps them',
        );
    },
  });
}

// A fresh network begins with a loss of some 0.3, and takes dozens of steps to halve it.
const startedAsGoodAs = ({ records }: TrainingRun) => records[0].loss < 0.1;

async function awaited(answer: (model: unknown) => unknown, model: tf.LayersModel): Promise<unknown> {
  try {
    return await answer(model);
  } catch (error) {
    if (error instanceof NotAttempted || error instanceof Interrupted) throw error;
    throw new Wrong(`rescue(model) throws ${messageOf(error)}`);
  }
}

function trainingRun(value: unknown, name: string): TrainingRun {
  const { records, diverged } = (value ?? {}) as Partial<TrainingRun>;
  if (!Array.isArray(records) || diverged === undefined)
    throw new Wrong(`${name} is ${kindOf(value)}; expected what train() returns. Is an await missing?`);
  return { records, diverged };
}

function trainedModel(value: unknown): tf.LayersModel {
  if (!(value instanceof tf.LayersModel))
    throw new Wrong(`the model is ${kindOf(value)}; expected what lenet() returns`);
  return value;
}

const weightsOf = (model: tf.LayersModel) => model.trainableWeights.map((weight) => weight.read().dataSync());

function finiteWeights(model: tf.LayersModel): boolean {
  return weightsOf(model).every((values) => values.every(Number.isFinite));
}

function accuracy(model: tf.LayersModel, images: tf.Tensor4D, labels: tf.Tensor1D): number {
  return tf.tidy(() => {
    const logits = predictLogits(model, images);
    return tf.mean(tf.equal(tf.greater(logits, 0), tf.greater(labels, 0.5)).toFloat()).dataSync()[0];
  });
}

// Exercise 3: break four published implementations, and repair them.
import { focalLoss, focalLossGradient } from '../losses';
import { tf } from '../tf';
import { ask, kindOf, text } from './ask';
import { differentiate } from './differentiate';
import { gradientsOf, publishedLosses, type ElementwiseLoss, type PublishedName } from './published';
import { judge, NotAttempted, Wrong, type Examination } from './verdict';

const LARGEST_LOGIT = 30;
const NOTABLE = 0.1; // a true gradient of this size is worth something to a training

/**
 * Checks 3.1: inputs at which each of the four implementations fails.
 *
 * @param answer  name of the implementation -> { logit, label, gamma }, |logit| <= 30, at which its gradient is not finite,
 *   or wrong by more than half where the true one is at least 0.1
 */
export function breaks(answer: unknown): Promise<void> {
  return judge(forEachName('3.1 breaking', (name) => examineBreak(name, entry(answer, name))));
}

/**
 * Checks 3.2: repaired versions of the four.
 *
 * @param answer  name of the implementation -> (logits, labels, gamma) => losses, with finite gradients for |logit| <= 100,
 *   loss and gradient within 3 % of the focal loss where they are at least 0.01, each repaired by the means of BASES
 */
export function repairs(answer: unknown): Promise<void> {
  return judge(forEachName('3.2 repairing', (name) => examineRepair(name, entry(answer, name))));
}

function forEachName(what: string, examine: (name: PublishedName) => void): Record<string, Examination> {
  const names = Object.keys(publishedLosses) as PublishedName[];
  return Object.fromEntries(names.map((name) => [`${what} ${name}`, () => examine(name)]));
}

function entry(answer: unknown, name: PublishedName): unknown {
  if (answer === undefined) throw new NotAttempted();
  if (typeof answer !== 'object' || answer === null)
    throw new Wrong(`the answers are ${kindOf(answer)}; expected an object with an entry for ${name}`);
  const found = (answer as Record<string, unknown>)[name];
  if (found === undefined) throw new NotAttempted();
  return found;
}

function examineBreak(name: PublishedName, input: unknown): void {
  if (typeof input !== 'object' || input === null)
    throw new Wrong(`it is ${kindOf(input)}; expected { logit: …, label: …, gamma: … }`);
  const { logit, label, gamma } = input as Record<string, unknown>;
  const inRange = typeof logit === 'number' && Math.abs(logit) <= LARGEST_LOGIT;
  if (!inRange) throw new Wrong(`logit has to be a number between -${LARGEST_LOGIT} and ${LARGEST_LOGIT}`);
  if (label !== 0 && label !== 1) throw new Wrong('label has to be 0 or 1');
  if (!(typeof gamma === 'number' && gamma > 0 && gamma <= 5))
    throw new Wrong('gamma has to be a number above 0, at most 5');

  const [gradient] = gradientsOf(publishedLosses[name], [logit], label, gamma);
  if (!Number.isFinite(gradient)) return;
  const truth = focalLossGradient(logit, label, { alpha: -1, gamma });
  if (Math.abs(truth) >= NOTABLE && Math.abs(gradient - truth) > Math.abs(truth) / 2) return;
  const easy = (2 * label - 1) * logit > 0;
  throw new Wrong(
    `at logit ${logit}, label ${label} and gamma ${gamma} its gradient is finite` +
      (Math.abs(truth) >= NOTABLE
        ? ' and close to the true one'
        : ', and where the true one is so small, harmless') +
      `. This is ${easy ? 'an easy example (the logit is right)' : 'a hard mistake (the logit is wrong)'}: what ` +
      `becomes of p_t in its formula ${easy ? 'with a larger logit, or with another gamma' : 'there'}, and of the opposite case?`,
  );
}

const GAMMAS = [0, 0.1, 0.5, 2];
const LOGITS = [
  -100, -60, -30, -17.4, -16.5, -12, -6, -3, -1, -0.2, 0.2, 1, 3, 6, 12, 16.5, 17.4, 30, 60, 100,
].map(Math.fround);
/**
 * The base of the power at margin 30, which tells the means of a repair: q is 9.4e-14 there, and 1 - p_t rounds to 0 in
 * float32. The ranges do not meet, so that no function is the answer to two of them.
 */
const FAR = 30;
const BASES: Record<PublishedName, { range: [low: number, high: number]; means: string }> = {
  textbook: { range: [5e-4, 2e-3], means: "the paper's constant in the base of its power" },
  epsilonInLog: { range: [5e-9, 2e-8], means: 'its own constant moved into the power' },
  clipped: { range: [5e-8, 4e-7], means: 'the probability in its power still clipped' },
  expOfCrossEntropy: { range: [9e-14, 1e-13], means: 'a base that keeps its digits' },
};
const CLOSE = 0.03;
const COUNTS_FROM = 0.01;

function examineRepair(name: PublishedName, answer: unknown): void {
  for (const gamma of GAMMAS)
    for (const label of [1, 0] as const) {
      const { loss, gradient } = evaluate(`repairs.${name}`, answer, label, gamma);
      const options = { alpha: -1, gamma };
      const place = `gamma ${gamma}, label ${label}`;
      compareAtLogits('loss', loss, (x) => focalLoss(x, label, options), label, place);
      compareAtLogits('gradient', gradient, (x) => focalLossGradient(x, label, options), label, place);
      if (gamma === 0.5) examineMeans(name, loss[LOGITS.indexOf((2 * label - 1) * FAR)], gamma);
    }
}

/** q^gamma s, with q replaced by the base of the repair, solved for that base. */
function examineMeans(name: PublishedName, loss: number, gamma: number): void {
  const crossEntropy = Math.log1p(Math.exp(-FAR));
  const base = (loss / crossEntropy) ** (1 / gamma);
  const { range, means } = BASES[name];
  if (base >= range[0] && base <= range[1]) return;
  throw new Wrong(
    `the loss is right where it matters, but this is another repair: far beyond the wall, at margin ${FAR}, the base of ` +
      `its power is ${base.toPrecision(2)}, and with ${means} it would be between ${range[0]} and ${range[1]}`,
  );
}

function compareAtLogits(
  what: string,
  found: number[],
  truthAt: (logit: number) => number,
  label: 0 | 1,
  place: string,
): void {
  for (const [i, logit] of LOGITS.entries()) {
    const at = `at logit ${logit.toFixed(1)}, ${place}`;
    if (!Number.isFinite(found[i])) throw new Wrong(`${at}, the ${what} is ${found[i]}`);
    const truth = truthAt(logit);
    if (Math.abs(truth) < COUNTS_FROM || Math.abs(found[i] - truth) <= CLOSE * Math.abs(truth)) continue;
    const hard = (2 * label - 1) * logit < 0;
    throw new Wrong(
      `${at}, the ${what} is finite, but more than 3 % off: ` +
        (hard ? 'a hard mistake has to keep its loss and its gradient' : 'the repair changes too much'),
    );
  }
}

/** Loss and gradient of the student's function at all LOGITS. */
function evaluate(name: string, answer: unknown, label: 0 | 1, gamma: number) {
  return tf.tidy(() => {
    const x = tf.tensor1d(LOGITS);
    const y = tf.fill(x.shape, label);
    const call = { name, args: [x, y, gamma] };
    const loss = ask(answer, call, (returned) => {
      if (!(returned instanceof tf.Tensor))
        throw new Wrong(`${text(call)} returns ${kindOf(returned)}; expected a tensor of losses`);
      if (!tf.util.arraysEqual(returned.shape, x.shape))
        throw new Wrong(
          `${text(call)} has shape [${returned.shape}] for logits of shape [${x.shape}]: expected one loss per logit`,
        );
      return Array.from(returned.dataSync());
    });
    const lossOf = (logits: tf.Tensor) => (answer as ElementwiseLoss)(logits, y, gamma);
    return { loss, gradient: differentiate(lossOf, x, text(call)) };
  });
}

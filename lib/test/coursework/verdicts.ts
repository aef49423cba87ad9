import { outputsOf } from '../display/fakeKernel';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf, todo } from 'focal-loss-lab';

const POINTS = 'application/vnd.focal-loss-lab.points+json';

export interface Verdict {
  question: string;
  status: string;
  remark: string;
}

/** What a check says, read as scripts/grade.py reads it; that text and points agree is tested on the way. */
export async function verdicts(check: () => Promise<void>): Promise<Verdict[]> {
  const sent = (await outputsOf(check)).filter(({ data }) => POINTS in data); // besides a training's progress
  assert.equal(sent.length, 1);
  const [{ data }] = sent;
  const content = data[POINTS] as {
    points: number;
    of: number;
    verdicts: Verdict[];
  };
  const right = content.verdicts.filter(({ status }) => status === 'right').length;
  assert.equal(content.points, right);
  assert.equal(content.of, content.verdicts.length);
  assert.match(data['text/plain'], new RegExp(`${right} of ${content.of} points?$`));
  return content.verdicts;
}

/** The one verdict of a check of one question. */
export async function verdict(check: () => Promise<void>): Promise<Verdict> {
  const all = await verdicts(check);
  assert.equal(all.length, 1);
  return all[0];
}

type Check = (answer: unknown) => Promise<void>;

/** Right answers get the point, in whatever way they are written. */
export function accepts(check: Check, answers: Record<string, unknown>): void {
  for (const [how, answer] of Object.entries(answers))
    test(`accepts ${how}`, async () => {
      assert.deepEqual(
        (await verdicts(() => check(answer))).filter(({ status }) => status !== 'right'),
        [],
      );
    });
}

/** Wrong answers do not, and hear why. */
export function rejects(check: Check, answers: Record<string, [unknown, RegExp]>): void {
  for (const [mistake, [answer, says]] of Object.entries(answers))
    test(`rejects ${mistake}`, async () => {
      const { status, remark } = await verdict(() => check(answer));
      assert.equal(status, 'wrong');
      assert.match(remark, says);
    });
}

/** A check of a function survives whatever it is given, with a sentence, and leaves no tensor. */
export function survivesAnything(check: Check): void {
  test('what is not there yet is not attempted', async () => {
    for (const answer of [undefined, () => todo()])
      assert.equal((await verdict(() => check(answer))).status, 'not attempted');
  });

  const tensor = tf.scalar(1);
  const strange: Record<string, unknown> = {
    'a number': 42,
    null: null,
    'a string': 'x => 0',
    'a tensor': tensor,
    'an object': {},
    'a function that returns nothing': () => {},
    'one that returns NaN': () => NaN,
    'one that returns null': () => null,
    'one that returns a string': () => '0',
    'one that returns an array': () => [0.5],
    'one that returns a tensor': () => tf.tidy(() => tf.scalar(0.5)),
    'one that leaves tensors behind': () => (tf.scalar(0.5), tf.scalar(1.5), 'x'),
    'one that is async': async () => 0.5,
    'one that is async and fails': async () => todo(),
    'one that throws': () => {
      throw new RangeError('boom\n    at somewhere');
    },
    'one that throws a string': () => {
      throw 'boom';
    },
    'one that uses what is not there': () => (undefined as unknown as { x: number }).x,
    'one without an end': function again(): number {
      return again();
    },
  };
  for (const [what, answer] of Object.entries(strange))
    test(`answers ${what} in one sentence`, async () => {
      const before = tf.memory().numTensors;
      const { status, remark } = await verdict(() => check(answer));
      assert.equal(status, 'wrong');
      assert.match(remark, /^[^\n]{15,400}$/);
      assert.doesNotMatch(remark, /cannot be examined| at somewhere/);
      assert.equal(tf.memory().numTensors, before);
    });
}

import { verdict } from './verdicts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exercise6, todo, type ExperimentPlan } from 'focal-loss-lab';

const plan: ExperimentPlan = {
  question: 'Does a larger batch delay the death?',
  metric: 'first step with a NaN gradient, or 1200 if there is none',
  factor: 'batchSize',
  conditions: { large: { batchSize: 128, gamma: 0.1 }, small: { batchSize: 32, gamma: 0.1 } },
  seeds: [1, 2, 3],
  prediction: { larger: 'large', smaller: 'small', by: 5 },
  reason: 'An average over more images moves the logits less.',
  stopping: 'after 12 epochs, or at the NaN',
};

const rowsOf = (large: number[], small: number[]) =>
  plan.seeds.flatMap((seed, i) => [
    { condition: 'large', seed, value: large[i] },
    { condition: 'small', seed, value: small[i] },
  ]);
const rows = rowsOf([100, 90, 95], [70, 60, 80]);
const conclusion = { difference: 25, verdict: 'supported', limits: 'One data set and one network.' };

const changed = (changes: Record<string, unknown>) => ({ ...plan, ...changes });

describe('the check of the plan', () => {
  test('accepts a complete plan, also one of three conditions that differ in a list', async () => {
    const three = changed({
      factor: 'gammas',
      conditions: { a: { gammas: [0.1] }, b: { gammas: [0.5] }, c: { gammas: [0.1, 0.5] } },
      prediction: { larger: 'c', smaller: 'a', by: 0 },
    });
    for (const answer of [plan, three])
      assert.equal((await verdict(() => exercise6.plan(answer))).status, 'right');
  });

  test('rejects what is missing or contradicts itself, and names it', async () => {
    const { conditions } = plan;
    const cases: [unknown, RegExp][] = [
      [changed({ question: '?' }), /question has to be a sentence/],
      [changed({ metric: undefined }), /metric has to be a sentence/],
      [changed({ reason: '' }), /reason has to be a sentence/],
      [changed({ stopping: 7 }), /stopping has to be a sentence/],
      [changed({ conditions: { large: conditions.large } }), /at least two conditions/],
      [changed({ conditions: [1, 2] }), /conditions is an array; expected an object/],
      [changed({ conditions: { ...conditions, small: { gamma: 0.1 } } }), /do not have the same settings/],
      [changed({ conditions: { ...conditions, small: 3 } }), /settings of 'small' is a number/],
      [changed({ factor: 'noise' }), /factor has to be the name of one of the settings \(batchSize, gamma\)/],
      [
        changed({ conditions: { ...conditions, small: { batchSize: 32, gamma: 0.5 } } }),
        /'gamma' differs as well/,
      ],
      [
        changed({ conditions: { large: conditions.large, small: conditions.large } }),
        /two conditions have the same/,
      ],
      [changed({ seeds: [1] }), /1 seeds cannot show/],
      [changed({ seeds: [1, 1, 2] }), /different integers/],
      [changed({ seeds: 3 }), /different integers/],
      [changed({ prediction: undefined }), /prediction is undefined/],
      [changed({ prediction: { larger: 'big', smaller: 'small', by: 0 } }), /prediction.larger is not one/],
      [changed({ prediction: { larger: 'large', smaller: 'large', by: 0 } }), /with itself/],
      [changed({ prediction: { larger: 'large', smaller: 'small', by: -1 } }), /at least 0/],
      ['a plan', /the plan is a string/],
      [null, /the plan is null/],
    ];
    for (const [answer, says] of cases) {
      const { status, remark } = await verdict(() => exercise6.plan(answer));
      assert.equal(status, 'wrong', String(says));
      assert.match(remark, says);
    }
  });

  test('an empty plan is not attempted', async () => {
    for (const answer of [undefined, {}, { ...plan, question: '', conditions: {}, seeds: [] }].slice(0, 1))
      assert.equal((await verdict(() => exercise6.plan(answer))).status, 'not attempted');
    const empty = changed({ question: '', conditions: {}, seeds: [] });
    assert.equal((await verdict(() => exercise6.plan(empty))).status, 'not attempted');
  });
});

describe('the check of the record', () => {
  const of = (answer: unknown) => verdict(() => exercise6.results(plan, answer));

  test('accepts one finite number per condition and seed, in any order', async () => {
    assert.equal((await of([...rows].reverse())).status, 'right');
  });

  test('rejects runs left out, made twice, not planned, or without a number', async () => {
    const cases: [unknown, RegExp][] = [
      [rows.slice(1), /'large' with seed 1 is missing/],
      [[...rows, rows[0]], /'large' with seed 1 is there twice/],
      [[...rows, { condition: 'huge', seed: 1, value: 3 }], /'huge' and seed 1, which were not planned/],
      [[{ condition: 'large', seed: 9, value: 3 }, ...rows], /seed 9, which were not planned/],
      [rows.map((row) => ({ ...row, value: NaN })), /is NaN; expected a finite number/],
      [rows.map((row) => ({ ...row, value: null })), /is null; expected a finite number/],
      [[1, 2], /row 0 is a number/],
      [{}, /the record is an object; expected an array/],
    ];
    for (const [answer, says] of cases) {
      const { status, remark } = await of(answer);
      assert.equal(status, 'wrong');
      assert.match(remark, says);
    }
  });

  test('no rows are not attempted, and so is a record without a plan', async () => {
    for (const answer of [undefined, []]) assert.equal((await of(answer)).status, 'not attempted');
    assert.equal((await verdict(() => exercise6.results(undefined, rows))).status, 'not attempted');
  });
});

describe('the check of the conclusion', () => {
  const of = (record: unknown, answer: unknown) => verdict(() => exercise6.conclusion(plan, record, answer));

  test('accepts whatever follows from the record: support, refutation, or neither', async () => {
    const { limits } = conclusion;
    const outcomes = [
      { record: rows, verdict: 'supported', difference: 25 },
      { record: rowsOf([70, 60, 80], [100, 90, 95]), verdict: 'refuted', difference: -25 },
      { record: rowsOf([100, 60, 80], [70, 90, 80]), verdict: 'undecided', difference: 0 },
      { record: rowsOf([5, 5, 5], [5, 5, 5]), verdict: 'refuted', difference: 0 },
    ];
    for (const { record, ...found } of outcomes)
      assert.equal((await of(record, { ...found, limits })).status, 'right', found.verdict);
  });

  test('rejects a conclusion that does not follow', async () => {
    const cases: [unknown, RegExp][] = [
      [{ ...conclusion, verdict: 'undecided' }, /'undecided' does not follow/],
      [{ ...conclusion, difference: -25 }, /wrong sign/],
      [{ ...conclusion, difference: 30 }, /not the difference of the two means/],
      [{ ...conclusion, difference: NaN }, /NaN; expected a number/],
      [{ ...conclusion, verdict: 'proved' }, /'supported', 'refuted' or 'undecided'/],
      [{ ...conclusion, limits: 'none' }, /limits has to be a sentence/],
      ['supported', /the conclusion is a string/],
    ];
    for (const [answer, says] of cases) {
      const { status, remark } = await of(rows, answer);
      assert.equal(status, 'wrong');
      assert.match(remark, says);
    }
  });

  test('is not attempted before there are rows', async () => {
    for (const [record, answer] of [
      [undefined, conclusion],
      [[], conclusion],
      [rows, undefined],
    ])
      assert.equal((await of(record, answer)).status, 'not attempted');
    assert.throws(() => todo(), /yours to write/);
  });
});

// The figures of notebooks 06 to 08.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { figures, focalLossGradient } from 'focal-loss-lab';
import { draw, titleOf } from './draw';

describe('gradientBound', () => {
  const row = (largest: number) => ({ gamma: 2, largest, bounds: { '1 + w': 1.2 } });
  test('says that the bounds hold only if they do', async () => {
    await draw(figures.gradientBound([{ ...row(1), gamma: 0.1 }, row(1.13)]));
    assert.equal(
      titleOf(figures.gradientBound([row(1.13)])),
      'Even at gamma 2 no slope exceeds 1.13; every bound holds',
    );
    assert.match(titleOf(figures.gradientBound([row(1.21)])), /A BOUND FAILS/);
  });
});

describe('ulpMaps', () => {
  const at = { gamma: 0.5, logit: 3, expected: 1, quantity: 'gradient' as const };
  const rows = [
    { ...at, form: 'textbook', computed: NaN },
    { ...at, form: 'textbook', logit: 1, computed: 1 },
    { ...at, form: 'exact', computed: 1 + 3 * 2 ** -23 },
    { ...at, form: 'exact', logit: 99, expected: 1e-39, computed: 0 },
  ];
  test('name the worst of each form, and leave out what float32 cannot hold', async () => {
    const spec = figures.ulpMaps(rows, { width: 2.5, setting: 'setting' });
    assert.equal(titleOf(spec), 'Largest error by form. textbook: NaN; exact: 3 ulp');
    const { svg } = await draw(spec);
    assert.match(svg, /fill="#B00020"/, 'NaN');
    assert.match(svg, /fill="#dddddd"/, 'lost to underflow');
  });
});

describe('epsilonBias', () => {
  test('computes in the chart what the closed form says, at any gamma and epsilon', async () => {
    const { view } = await draw(figures.epsilonBias(0.5, -3));
    for (const [gamma, exponent] of [
      [0.5, -3],
      [0, -2],
      [2, -8],
      [0.9, -1],
    ]) {
      // prettier-ignore
      view.signal('gamma', gamma);
      view.signal('exponent', exponent);
      await view.runAsync();
      const rows = view.data('data_0') as { z: number; exact: number; stabilized: number; excess: number }[];
      assert.ok(rows.length > 100);
      for (const { z, exact, stabilized, excess } of rows) {
        const [truth, biased] = [0, 10 ** exponent].map((epsilon) =>
          Math.abs(focalLossGradient(z, 1, { alpha: -1, gamma, epsilon })),
        );
        const near = (a: number, b: number) => Math.abs(a - b) <= 1e-5 * Math.abs(b);
        assert.ok(near(exact, truth) && near(stabilized, biased), `${gamma} ${exponent} ${z}`);
        assert.ok(Math.abs(excess - (biased - truth)) <= 1e-5 * biased, `${gamma} ${exponent} ${z}`);
      }
    }
  });

  test('the region without a float32 gradient is shaded for 0 < gamma < 1 only', async () => {
    const { view } = await draw(figures.epsilonBias(0.5, -3));
    assert.match(await view.toSVG(), /original: NaN/);
    view.signal('gamma', 2);
    await view.runAsync();
    assert.doesNotMatch(await view.toSVG(), /original: NaN/);
  });

  test('the title says from where the gradient is twice the true one, and by how much it is off at most', () => {
    assert.equal(
      titleOf(figures.epsilonBias(0.5, -3)),
      'Epsilon 0.001, gamma 0.5: the gradient is twice the true one from margin 8.9 on, yet nowhere off by more than 0.0005',
    );
    assert.match(titleOf(figures.epsilonBias(0, -3)), /less than twice the true one up to margin 30/);
  });
});

describe('safetyMap', () => {
  const cell = { precision: 'float32', gamma: 0.5, label: 1 as const, easy: null, hard: null };
  const rows = [
    { ...cell, formulation: 'textbook', easy: 16.6355 },
    { ...cell, formulation: 'old', hard: 88.7228 },
    { ...cell, formulation: 'overflows', hard: 32752 },
    { ...cell, formulation: 'exact' },
    { ...cell, formulation: 'exact', label: 0 as const },
  ];
  test('shows the first failing logit, of a wrong answer with a minus, and names what never fails', async () => {
    assert.equal(
      titleOf(figures.safetyMap(rows)),
      'Safe in every emulated precision, at every gamma shown: exact',
    );
    const { svg } = await draw(figures.safetyMap(rows));
    for (const text of ['16.6', '−88.7', 'huge']) assert.ok(svg.includes(`>${text}</text>`), text);
  });
  test('shows the other label when the reader picks it', async () => {
    const { view } = await draw(figures.safetyMap(rows));
    view.signal('label', 0);
    await view.runAsync();
    assert.doesNotMatch(await view.toSVG(), />16.6</);
  });
});

describe('exact against stabilized', () => {
  const difference = {
    ...{ gamma: 0.5, epsilon: 1e-3, measure: 'accuracy' as const, exact: 0.97, pairs: 5 },
    ...{ mean: 0.001, low: -0.002, high: 0.004, includesZero: true },
  };
  test('the title counts the intervals that include 0, and how many would by chance', async () => {
    const apart = { ...difference, measure: 'brier' as const, low: 0.0005, includesZero: false };
    const spec = figures.differenceIntervals([difference, apart], 'setting');
    assert.equal(
      titleOf(spec),
      '5 seeds cannot tell them apart: 1 of 2 intervals include 0 (by chance 2 would)',
    );
    const { svg } = await draw(spec);
    assert.match(svg, /#D55E00/);
    assert.match(svg, />gamma 0.5, epsilon 1e-3</);
  });
  test('the medians of the margins are over all seeds together', async () => {
    const row = { gamma: 0.5, seed: 1, loss: 'exact' as const, epsilon: null };
    const rows = [
      { ...row, margin: 2, count: 10 },
      { ...row, margin: 7, count: 10 },
      { ...row, seed: 2, margin: 7, count: 10 },
      { ...row, loss: 'stabilized' as const, epsilon: 1e-3, margin: 3, count: 4 },
      { ...row, loss: 'stabilized' as const, epsilon: 1e-5, margin: 30, count: 40 },
    ];
    const spec = figures.marginDistribution(rows, { epsilon: 1e-3, setting: 'setting' });
    assert.match(titleOf(spec), /^Median margin, exact and stabilized: 7.3 and 3.5 at gamma 0.5/);
    await draw(spec);
  });
});

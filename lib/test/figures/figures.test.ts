import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { figures, linspace, results, tf, type VegaLiteSpec } from 'focal-loss-lab';
import { wrongAnswers } from 'focal-loss-lab/dist/figures/census';
import { draw as drawSpec, titleOf } from './draw';

const draw = async (spec: VegaLiteSpec) => (await drawSpec(spec)).svg;

/** Every number in a specification, so that none of them can be lost as JSON's null. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : [];
}

const sweep = (loss: string, gradients: number[]): figures.GradientSweep => ({
  loss,
  arithmetic: 'float32',
  logits: gradients.map((_, i) => 15 + i),
  gradients,
});
const original = sweep('original', [-1e-9, -1e-10, NaN, NaN]);
const stabilized = sweep('stabilized', [-1e-9, -1e-8, 0, 0]);
const truth = { truth: (logit: number) => -Math.exp(-1.5 * logit), setting: 'setting' };
const records = [134, 268, 402].map((step) => ({
  step,
  loss: 1 / step,
  accuracy: 0.9,
  maxAbsLogit: step / 20,
}));
const curves = [
  { name: 'original', records: records.slice(0, 2), diverged: { step: 300, maxAbsLogit: 17.61 } },
  { name: 'exact', records, diverged: null },
];
const deaths = [
  { gamma: 0, threshold: 0, diverged: null },
  { gamma: 0.5, threshold: 0, diverged: { step: 1234 } },
];

const theirs = [
  { gamma: 0.1, threshold: 0, firstNanEpoch: 3, epochs: 3 },
  { gamma: 0.1, threshold: 1, firstNanEpoch: null, epochs: 100 },
  { gamma: 0.2, threshold: 0, firstNanEpoch: 0, epochs: 0 },
];
const ours = [
  { gamma: 0.1, threshold: 0, firstNanEpoch: 7, epochs: 7 },
  { gamma: 0.1, threshold: 1, firstNanEpoch: null, epochs: 40 },
  { gamma: 0.2, threshold: 0, firstNanEpoch: 0, epochs: 0 },
];
const comparison = results.compareDeaths(theirs, ours, 100);
const grids = { first: 'published', second: 'ours', end: 100, setting: 'setting' };

/** From epoch 0 on. */
const curve = (...meanLosses: (number | null)[]): figures.LossCurve =>
  meanLosses.map((meanLoss, epoch) => ({ epoch, meanLoss }));

const step = { work: 'LeNet', threads: 1, processes: 1, models: 1, rssMB: 400 };
const speed = {
  machine: 'a machine',
  date: '2026-01-31',
  rows: [
    { ...step, contestant: 'ours', processes: 2, models: 27, msMin: 2, msMedian: 2.5 },
    { ...step, contestant: 'ours', processes: 2, models: 9, msMin: 1.9, msMedian: 3 },
    { ...step, contestant: 'PyTorch', msMin: 6, msMedian: 7 },
    { ...step, contestant: 'PyTorch vmap', models: 9, msMin: 4, msMedian: 5 },
    { ...step, contestant: 'tfjs', processes: 2, msMin: 9, msMedian: 10 },
    { ...step, contestant: 'tfjs', msMin: 18, msMedian: 20 },
  ],
};
const sizes = {
  ...speed,
  rows: [27, 1, 135].map((models) => ({
    ...{ ...step, contestant: 'ours', models, rssMB: 400 + 10 * models },
    ...{ msMin: 4, msMedian: models === 27 ? 4 : 8 },
  })),
};

const census: results.Census = {
  settings: {
    gammas: [0, 0.5],
    ...{ largestLogit: 1e4, near: 8, farEasy: 40, farHard: 100, wrong: 0.01, date: '2026-01-31' },
  },
  versions: {},
  rows: [
    measured({ library: 'old and new', version: '0.9.0', easyFaultAt: 17.3, hardFaultAt: 14.56 }),
    measured({ library: 'old and new', version: '0.10.0' }),
    measured({ library: 'textbook', version: '1.0', gamma: 0, easyFaultAt: 16.64, gradientError: 2e-4 }),
    measured({ library: 'textbook', version: '1.0', label: 0, easyFaultAt: 17.33, hardWrongFrom: 12.5 }),
    measured({ library: 'ours', version: null, source: 'formula', gradientError: 0.5 }),
  ],
};

function measured(change: Partial<results.CensusRow>): results.CensusRow {
  const row: results.CensusRow = {
    ...{ library: 'a', version: '1', variant: null, source: 'package', framework: 'PyTorch' },
    ...{ defaultGamma: 2, defaultAlpha: null, dtype: 'float32', gamma: 0.5, label: 1 },
    ...{ easyFaultAt: null, easyFault: null, hardFaultAt: null, hardFault: null },
    ...{ lossError: 1e-7, gradientError: 1e-7, easyWrongFrom: null, hardWrongFrom: null },
    ...{ hardGradientError: 1e-7, ...change },
  };
  const faultOf = (at: number | null) => (at === null ? null : 'gradient NaN');
  return { ...row, easyFault: faultOf(row.easyFaultAt), hardFault: faultOf(row.hardFaultAt) };
}

const specs: Record<string, VegaLiteSpec> = {
  censusFaults: figures.censusFaults(census),
  censusErrors: figures.censusErrors(census, { gamma: 0.5 }),
  stepTimes: figures.stepTimes(speed),
  costByModels: figures.costByModels(sizes),
  deathMaps: figures.deathMaps(comparison, grids),
  deathScatter: figures.deathScatter([{ name: 'published and ours', comparison }], {
    x: 'published',
    y: 'ours',
  }),
  gridExplorer: figures.gridExplorer(
    ours,
    () => ({ original: curve(0.2), 'published original': curve(0.3, null) }),
    grids,
  ),
  logitGrowth: figures.logitGrowth(
    [
      { threshold: 0, share: 0.1, epoch: 0, maxAbsLogit: 9 },
      { threshold: 0, share: 0.1, epoch: 1, maxAbsLogit: 17 },
      { threshold: 4, share: 0.5, epoch: 0, maxAbsLogit: 8 },
      { threshold: 4, share: 0.5, epoch: 2, maxAbsLogit: 18 },
    ],
    'setting',
  ),
  lossByProbability: figures.lossByProbability([{ gamma: 0.5, probability: 0.5, loss: 0.49 }]),
  singularFactor: figures.singularFactor([{ gamma: 0.5, q: 1e-3, factor: 15.8, derivative: 0.05 }]),
  gradientByMargin: figures.gradientByMargin([{ gamma: 0.5, margin: 0, gradient: -0.5 }]),
  focalLossExplorer: figures.focalLossExplorer(0.5),
  gradientSizes: figures.gradientSizes([original, stabilized], truth),
  textbookGraph: figures.textbookGraph({ precision: 'float32', logit: 17, gamma: 0.5 }),
  exactGraph: figures.exactGraph({ precision: 'float32', logit: 17, gamma: 0.5 }),
  trainingCurves: figures.trainingCurves(curves, 'setting'),
  lossPerEpoch: figures.lossPerEpoch({
    published: { original: curve(0.1) },
    ours: { original: curve(0.1, null) },
  }),
  lossBesidePublished: figures.lossBesidePublished(
    { setting: 'theirs', curves: { original: curve(0.1, 0.09, null) } },
    { setting: 'ours', curves: { exact: curve(0.2) } },
  ),
  deathMap: figures.deathMap(deaths, 'setting'),
  logitDistribution: figures.logitDistribution([
    { noise: 0, logits: Float32Array.of(-17.2, -5.5, -5.1, 2.5) },
    { noise: 0.5, logits: Float32Array.of(4) },
  ]),
};

describe('every figure', () => {
  for (const [name, spec] of Object.entries(specs)) {
    test(`${name} is drawn without a warning`, async () => {
      assert.match(await draw(spec), /<path/);
    });
    test(`${name} contains no number that JSON would turn into null`, () => {
      assert.ok(numbersIn(spec).every(Number.isFinite));
    });
  }
});

describe('NaN is drawn, not dropped', () => {
  test('the sweeps say in their title how each of them ends', () => {
    const ended = (sweeps: figures.GradientSweep[]) => titleOf(figures.gradientSizes(sweeps, truth));
    assert.equal(ended([original, stabilized]), 'original: NaN from 17 on; stabilized: 0 from 17 on');
    assert.equal(ended([sweep('exact', [-1, -1])]), 'float32: finite to the end');
    assert.equal(ended([sweep('original', [NaN, -1, NaN, -1])]), 'float32: 2 of 4 NaN');
  });
  test('sweeps of one loss are told apart by their arithmetic', () => {
    const other = { ...original, arithmetic: 'float64' };
    assert.equal(
      titleOf(figures.gradientSizes([other, original], truth)),
      'float64: NaN from 17 on; float32: NaN from 17 on',
    );
  });
  test('each NaN of a sweep is a cross above the axes, at no value', async () => {
    const svg = await draw(figures.gradientSizes([original], truth));
    const crosses = [
      ...svg.matchAll(/<path[^>]*transform="translate\([^,]*,(-?[\d.]+)\)"[^>]*stroke="#B00020"/g),
    ];
    assert.equal(crosses.length, 2);
    assert.ok(crosses.every(([, y]) => Number(y) < 0));
  });
  test('without a NaN every figure is still drawn without a warning', async () => {
    await draw(figures.gradientSizes([sweep('exact', [-1e-9, -1e-10])], truth));
    await draw(figures.trainingCurves(curves.slice(1), ''));
    await draw(figures.lossPerEpoch({ published: {}, ours: { exact: curve(0.1) } }));
    await draw(figures.deathMap(deaths.slice(0, 1), ''));
  });
  test('training curves whose runs all went NaN do not say that others train on', () => {
    assert.equal(
      titleOf(figures.trainingCurves(curves.slice(0, 1), '')),
      'The original loss goes NaN in step 300, at |logit| 17.61',
    );
  });
  test('training curves do not say that a run trains on that ended before the NaN', () => {
    const short = { ...curves[1], name: 'control (gamma 2)', records: records.slice(0, 2) };
    assert.match(titleOf(figures.trainingCurves([...curves, short], '')), /; exact trains on$/);
  });
  test('training curves name the step of the first NaN', () => {
    assert.match(titleOf(figures.trainingCurves(curves, '')), /NaN in step 300, .*; exact trains on$/);
    const stabilized = { ...curves[1], name: 'stabilized' };
    assert.match(
      titleOf(figures.trainingCurves([...curves, stabilized], '')),
      /; exact and stabilized train on$/,
    );
    assert.equal(titleOf(figures.trainingCurves(curves.slice(1), '')), 'No run meets a NaN');
  });
  test('training curves show the logit of the fatal batch, and no dot where it is not finite', async () => {
    assert.match(await draw(figures.trainingCurves(curves, '')), />17\.61<\/text>/);
    const infinite = [{ ...curves[0], diverged: { step: 300, maxAbsLogit: Infinity } }];
    assert.equal(titleOf(figures.trainingCurves(infinite, '')), 'The original loss goes NaN in step 300');
    await draw(figures.trainingCurves(infinite, ''));
  });
  test('training curves of a stabilized and an exact run have a panel with their difference', () => {
    const panels = (names: string[]) =>
      (
        figures.trainingCurves(
          names.map((name) => ({ name, records, diverged: null })),
          '',
        ).vconcat as unknown[]
      ).length;
    assert.equal(panels(['stabilized', 'exact']) - panels(['original', 'exact']), 1);
  });
  test('the losses per epoch name the epoch of each death', () => {
    assert.equal(titleOf(specs.lossPerEpoch), 'First NaN: original in epoch 1');
  });
  test('published losses per epoch end where ours do', () => {
    const long = { original: curve(0.3, 0.2, 0.1, null) };
    const ends = (ours: figures.LossCurve) =>
      titleOf(figures.lossPerEpoch({ published: long, ours: { exact: ours } }));
    assert.equal(ends(curve(0.3, 0.2, 0.1)), 'No run meets a NaN');
    assert.equal(ends(curve(0.3, 0.2, 0.1, 0.1)), 'First NaN: published original in epoch 3');
  });
  test('the epoch of a NaN stands left of its cross where another one follows', async () => {
    const svg = await draw(
      figures.lossPerEpoch({
        published: { original: curve(0.3, 0.2, null) },
        ours: { original: curve(0.3, null), exact: curve(0.3, 0.2, 0.1) },
      }),
    );
    const anchors = [...svg.matchAll(/text-anchor="(\w+)"[^>]*fill="#B00020"[^>]*>(\d+)</g)];
    assert.deepEqual(anchors.map(([, anchor, epoch]) => [anchor, epoch]), [['start', '2'], ['end', '1']]); // prettier-ignore
  });
  test('but go on to their NaN where the same loss of ours met one', () => {
    const published = { original: curve(0.3, 0.2, 0.1, null), stabilized: curve(0.3, 0.2, 0.1, 0.1, 0.1) };
    const spec = figures.lossPerEpoch({ published, ours: { original: curve(0.3, null) } });
    assert.equal(titleOf(spec), 'First NaN: published original in epoch 3, original in epoch 1');
    assert.ok(!JSON.stringify(spec).includes('"epoch":4'));
  });
  test('of a thousand epochs a figure keeps the first, the last and the NaN, and no more than it can show', () => {
    const losses = Array.from({ length: 1000 }, (_, epoch) => 1 / (epoch + 1));
    const { hconcat, title } = figures.lossBesidePublished(
      { setting: '', curves: { original: curve(...losses, null) } },
      { setting: '', curves: { exact: curve(0.1) } },
    );
    const [{ layer }] = hconcat as { layer: { data: { values: { epoch: number }[] } }[] }[];
    const [line, cross] = layer.map(({ data }) => data.values.map(({ epoch }) => epoch));
    assert.deepEqual(line.slice(0, 12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert.equal(line.at(-1), 999);
    assert.ok(line.length >= 80 && line.length <= 120, `${line.length}`);
    assert.deepEqual(cross, [1000]);
    const subtitleOf = ({ title }: VegaLiteSpec) => (title as { subtitle: string }).subtitle;
    assert.match(subtitleOf({ title }), /of later epochs not all/);
    assert.match(subtitleOf(specs.lossBesidePublished), /^Mean loss of each epoch/);
  });
  test('the losses next to the published ones may be of three amplitudes of noise', async () => {
    const curves = { 'noise 0': curve(0.1), 'noise 0.5': curve(0.1), 'noise 0.75': curve(0.1, null) };
    await draw(figures.lossBesidePublished({ setting: 'theirs', curves }, { setting: 'ours', curves }));
  });
  test('the losses next to the published ones name the deaths of each side', () => {
    assert.equal(titleOf(specs.lossBesidePublished), 'First NaN, published: original in epoch 2; ours: none');
  });
  test('the map counts the runs with a NaN on both sides of gamma 0 and 1', () => {
    assert.equal(
      titleOf(figures.deathMap(deaths, '')),
      'NaN: all 1 runs with 0 < gamma < 1, none of 1 others',
    );
  });
  test('two maps say what they agree in, and what is still open', async () => {
    assert.equal(
      titleOf(specs.deathMaps),
      'NaN in both grids: 2 of 3 runs, in one only: 0, in neither: 0, open: 1',
    );
    assert.match(await draw(specs.deathMaps), /–.*&gt;40/s, 'no NaN in 100 epochs, none in 40');
    const ended = ours.filter(({ firstNanEpoch }) => firstNanEpoch !== null);
    const legend = (spec: VegaLiteSpec) => JSON.stringify(spec.title);
    assert.match(legend(specs.deathMaps), />n: none in n epochs/);
    assert.doesNotMatch(legend(figures.deathMaps(results.compareDeaths(theirs, ended, 100), grids)), />n/);
  });
  test('the scatter gives the median factor between the grids, epochs counted from 1', () => {
    assert.equal(
      titleOf(specs.deathScatter),
      'Two grids differ by a median factor of 1.50 (published and ours)',
    );
  });
  test('the growth of the logits has every threshold in its legend, and both walls', async () => {
    const svg = await draw(specs.logitGrowth);
    for (const text of ['0: 10 % class 1', '4: 50 % class 1', 'NaN from here for label 1', 'and for label 0'])
      assert.ok(svg.includes(`>${text}</text>`), text);
  });
  test('the growth of the logits names the thresholds that reach the level of all first and last', () => {
    assert.equal(
      titleOf(specs.logitGrowth),
      'Threshold 0 is the first to reach |logit| 17, threshold 4 the last',
    );
  });
});

describe('logits of pixels', () => {
  test('the title names the largest |logit| of each noise', () => {
    const pixels = [17.8, 7.9].map((x, i) => ({ noise: i / 2, logits: Float32Array.of(1, -x) }));
    assert.equal(
      titleOf(figures.logitDistribution(pixels)),
      'At the end of training |logit| reaches 17.8 at noise 0, 7.9 at noise 0.5',
    );
  });
  test('are counted in bins of width 1, shares of all pixels', () => {
    const logits = Float32Array.of(-17.2, -5.5, -5.1, 2.5);
    const { layer } = figures.logitDistribution([{ noise: 0, logits }]);
    const [{ data }] = layer as { data: { values: unknown[] } }[];
    assert.deepEqual(data.values, [
      { noise: 0, logit: -17.5, share: 0.25 },
      { noise: 0, logit: -5.5, share: 0.5 },
      { noise: 0, logit: 2.5, share: 0.25 },
    ]);
  });
});

describe('numbers in a map', () => {
  test('are legible on every shade: a contrast of 3.8 or more', async () => {
    const rows = [1, 2, 5, 10, 20, 50, 100].map((step) => {
      return { gamma: 0.5, threshold: step, diverged: { step } };
    });
    const svg = await draw(figures.deathMap(rows, 'setting'));
    const cells = [...svg.matchAll(/step: ([\d,]+)[^>]*fill="(rgb[^"]*|#\w+)"/g)].map(([, step, fill]) => ({
      step,
      fill,
    }));
    assert.equal(cells.length, rows.length);
    for (const { step, fill } of cells) {
      const ink = new RegExp(`fill="(white|#222222)"[^>]*>${step}</text>`).exec(svg)![1];
      assert.ok(contrast(fill, ink === 'white' ? '#ffffff' : ink) >= 3.8, `${step}: ${ink} on ${fill}`);
    }
  });

  /** Of WCAG 2: (lighter + .05) / (darker + .05). */
  function contrast(one: string, other: string): number {
    const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  }

  function luminance(color: string): number {
    const parts = color.startsWith('#')
      ? [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16))
      : color.match(/\d+/g)!.map(Number);
    const [r, g, b] = parts.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
});

describe('a mask over its image', () => {
  const colorOf = (logit: number, label: number) => {
    const before = tf.memory().numTensors;
    const color = tf.tidy(() => {
      const pixel = (value: number) => tf.tensor4d([value], [1, 1, 1, 1]);
      return Array.from(figures.maskOverlay(pixel(0), pixel(logit), pixel(label)).dataSync());
    });
    assert.equal(tf.memory().numTensors, before);
    return color;
  };
  test('has another color where it is right, misses a pixel, and invents one, and none on the background', () => {
    const [found, missed, invented] = [colorOf(1, 1), colorOf(-1, 1), colorOf(1, 0)];
    assert.equal(new Set([found, missed, invented].map(String)).size, 3);
    assert.deepEqual(colorOf(-1, 0), [0, 0, 0]);
  });
  test('misses every pixel where the logits are NaN', () => {
    assert.deepEqual(colorOf(NaN, 1), colorOf(-1, 1));
    assert.deepEqual(colorOf(NaN, 0), [0, 0, 0]);
  });
});

describe('the figures on speed', () => {
  test('the title compares like with like: the best median of ours, of PyTorch, vmap included, and of TensorFlow.js', () => {
    assert.equal(
      titleOf(specs.stepTimes),
      'Side by side: 2.0 times as fast as PyTorch, 4.0 times plain TensorFlow.js',
    );
  });
  test('every contestant has a bar, a tick and a number', async () => {
    const svg = await draw(specs.stepTimes);
    for (const { msMedian } of speed.rows)
      assert.ok(svg.includes(`>${msMedian.toFixed(1)}</text>`), `${msMedian}`);
    assert.match(svg, />plain TensorFlow.js: 2 processes of 1 thread</);
    assert.match(svg, />PyTorch vmap: 1 process of 1 thread, 9 models each</);
  });
  test('without PyTorch, or with a contestant of another name, there is no comparison', () => {
    const without = speed.rows.filter(({ contestant }) => !contestant.startsWith('PyTorch'));
    assert.throws(() => figures.stepTimes({ ...speed, rows: without }), /there is no row of PyTorch/);
    const other = { ...speed.rows[0], contestant: 'JAX' };
    assert.throws(
      () => figures.stepTimes({ ...speed, rows: [...speed.rows, other] }),
      /there is a contestant 'JAX'; expected ours/,
    );
  });
  test('the cost of many models: the best number, and the memory of one more', () => {
    assert.equal(
      titleOf(specs.costByModels),
      '27 models side by side: 2.0 times as fast as one; 10 MB for each',
    );
  });
  test('one number of models is no curve', () => {
    const alone = { ...sizes, rows: sizes.rows.slice(0, 1) };
    assert.throws(() => figures.costByModels(alone), /costByModels: expected two numbers of models or more/);
  });
});

describe('the figures of the census', () => {
  test('the title counts libraries in their newest version, not our formulas', () => {
    assert.equal(
      titleOf(specs.censusFaults),
      '1 of 2 libraries goes NaN at a gamma below 1, from |logit| 16.6 on; 1 at gamma 0 too',
    );
  });
  test('a cell shows the first |logit|, and whether the prediction is right there; a ring stands for none', async () => {
    const svg = await draw(specs.censusFaults);
    for (const text of ['✗ 14.56', '✓ 16.64', '✓ 17.33', '○', 'old and new 0.10.0'])
      assert.ok(svg.includes(`>${text}</text>`), text);
    assert.ok(!svg.includes('>✓ 17.30</text>'), 'the later of two faults');
  });
  test('the library with the earliest fault comes first, its versions together, those without a fault last', () => {
    const sorts = JSON.stringify(specs.censusFaults).matchAll(/"sort":(\[[^\]]*\])/g);
    const inOrder = '["old and new 0.9.0","old and new 0.10.0","textbook 1.0","ours"]';
    assert.ok([...sorts].some(([, sort]) => sort === inOrder));
  });
  test('if no library has a fault, the title says so, and the figure is drawn', async () => {
    const safe = figures.censusFaults({ ...census, rows: [measured({}), measured({ label: 0 })] });
    assert.equal(titleOf(safe), 'None of 1 libraries goes NaN');
    await draw(safe);
  });
  test('a fault that is no NaN is not called one', () => {
    const rows = [{ ...measured({ easyFaultAt: 9 }), easyFault: 'gradient Infinity' }];
    assert.match(
      titleOf(figures.censusFaults({ ...census, rows })),
      /^1 of 1 libraries goes NaN or infinite at/,
    );
  });
  test('gamma 2 is shown next to the gammas below 1', () => {
    const rows = [measured({ easyFaultAt: 16.64 }), measured({ library: 'b', gamma: 2, hardFaultAt: 88.72 })];
    assert.equal(
      titleOf(figures.censusFaults({ ...census, rows })),
      '1 of 2 libraries goes NaN at a gamma below 1, from |logit| 16.6 on; 0 at gamma 0 too, 1 at gamma 2',
    );
  });
  test('what computes another function is named, and what was not compared has no point', async () => {
    const none = { lossError: null, gradientError: null, hardWrongFrom: null, hardGradientError: null };
    const rows = [
      measured({ gradientError: 1e-4 }),
      measured({ library: 'b', gradientError: 0.3 }),
      measured({ library: 'c', ...none }),
    ];
    const figure = figures.censusErrors({ ...census, rows }, { gamma: 0.5 });
    assert.match(
      titleOf(figure),
      /^1 of 3 libraries keeps six digits; the others are off by up to 0\.01 %, b by more$/,
    );
    await draw(figure);
  });
  test('in words, whether wrong answers have a gradient', () => {
    const told = (hardGradientError: number | null, hardFaultAt: number | null) =>
      wrongAnswers([measured({ hardGradientError, hardFaultAt })], census.settings);
    assert.equal(told(1e-7, null), 'right');
    assert.equal(told(0.26, null), 'off by up to 26 %');
    assert.equal(told(1, null), 'lost in the end');
    assert.equal(told(Infinity, 88.7), 'NaN in the end');
    assert.equal(told(null, 88.7), 'NaN in the end');
    assert.equal(told(null, null), 'not compared');
  });
  test('the errors of the title are those of packages, at the gamma asked for', () => {
    assert.equal(titleOf(specs.censusErrors), 'All of 2 libraries keep six digits');
    assert.equal(
      titleOf(figures.censusErrors(census, { gamma: 0 })),
      '0 of 1 libraries keep six digits; the others are off by up to 0.02 %',
    );
  });
  test('a number format or a gamma that was not measured is refused', () => {
    assert.throws(() => figures.censusFaults(census, 'float16'), /censusFaults: there is no row of float16/);
    assert.throws(
      () => figures.censusErrors(census, { gamma: 2 }),
      /censusErrors: nothing was measured at gamma 2; expected one of 0, 0\.5/,
    );
  });
});

describe('linspace', () => {
  test('includes both ends', () => assert.deepEqual(linspace(-1, 1, 5), [-1, -0.5, 0, 0.5, 1]));
  test('rejects a count below 2', () =>
    assert.throws(() => linspace(0, 1, 1), /linspace: count must be an integer of at least 2, got 1/));
});

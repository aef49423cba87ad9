// The computation graphs of notebooks/02-nan-gradient.ipynb.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exactSigmoidFocalLoss, figures, naiveFocalLossGradient, sigmoidFocalLoss, tf } from 'focal-loss-lab';
import {
  exactStates,
  GAMMAS,
  LOGITS,
  textbookStates,
  type GraphState,
} from 'focal-loss-lab/dist/figures/graphStates';
import type { FocalLossOptions } from 'focal-loss-lab/dist/losses';
import { exactFocalLossSteps } from 'focal-loss-lab/dist/precision/exactSteps';
import { draw, textsIn, titleOf } from './draw';

const NAN_COLOR = '#B00020';
const FATAL = { precision: 'float32', logit: 17, gamma: 0.5 } as const;

/** The drawing after the sliders were moved. */
async function drawnAt(spec: ReturnType<typeof figures.textbookGraph>, setting: Record<string, unknown>) {
  const { view } = await draw(spec);
  for (const [name, value] of Object.entries(setting)) view.signal(name, value);
  return (await view.runAsync()).toSVG();
}

describe('the graph of the textbook loss', () => {
  const graph = figures.textbookGraph(FATAL);

  test('at logit 17 in float32 the edge from the power carries Infinity, the next factor is 0, and the gradient NaN', async () => {
    const { svg } = await draw(graph);
    const texts = textsIn(svg);
    for (const text of ['× Infinity', 'Infinity', '−Infinity', '× 0', '−Infinity × 0 = NaN', 'NaN'])
      assert.ok(texts.includes(text), text);
    assert.ok(texts.includes('float32, logit 17, gamma 0.5: loss 0, gradient NaN (true gradient −1.26e-11)'));
    const redEdges = svg.match(new RegExp(`stroke="${NAN_COLOR}" stroke-width="3"`, 'g'));
    assert.equal(redEdges?.length, 3, 'from the power, from 1 - p, and from sigma');
  });

  test('at logit 16 nothing is red: the wall is at 24 ln 2 = 16.64', async () => {
    const svg = await drawnAt(graph, { logit: 16 });
    assert.doesNotMatch(svg, new RegExp(NAN_COLOR));
    const inGraph = textsIn(svg).filter((text) => text !== titleOf(graph));
    assert.deepEqual(
      inGraph.filter((text) => /NaN|Infinity/.test(text)),
      [],
    );
  });

  for (const [precision, wall] of Object.entries({ float64: 37, float32: 17, float16: 8, bfloat16: 6 }))
    test(`in ${precision} the gradient is NaN from logit ${wall} on, at every gamma below 1, and never at gamma 1`, () => {
      for (const { values, logit, gamma } of textbookStates().filter(
        (state) => state.precision === precision,
      ))
        assert.equal(Number.isNaN(values.gradient), gamma < 1 && logit >= wall, `${logit} ${gamma}`);
    });

  test('moving all sliders shows that setting: at gamma 0 the factor itself is 0 times infinity', async () => {
    const texts = textsIn(await drawnAt(graph, { logit: 6, gamma: 0, precision: 'bfloat16' }));
    assert.ok(texts.includes('0 × Infinity = NaN'));
    assert.ok(texts.some((text) => text.startsWith('bfloat16, logit 6, gamma 0.0: loss')));
  });

  test('the title counts the settings with NaN, and says what they share', () => {
    const states = textbookStates();
    const nan = states.filter(({ values }) => Number.isNaN(values.gradient)).length;
    assert.equal(
      titleOf(graph),
      `Infinity × 0 = NaN where 1 − p has become 0: ${nan} of 1,804 settings, each with a finite loss`,
    );
  });

  test('a setting that the sliders do not have is refused', () => {
    assert.throws(
      () => figures.textbookGraph({ ...FATAL, logit: 17.5 }),
      /^RangeError: textbookGraph: there is no setting float32 17.5 0.5; expected a format of float64, float32/,
    );
  });

  test('p is 1 only where it is exactly 1', async () => {
    assert.ok(textsIn(await drawnAt(graph, { logit: 16 })).includes('1 − 1.19e-7'));
  });
});

describe('the graph of the exact form', () => {
  const graph = figures.exactGraph(FATAL);

  test('no node is red, NaN or infinite at any setting of the sliders', () => {
    assert.doesNotMatch(JSON.stringify(graph.datasets), /NaN|Infinity/);
    assert.equal(titleOf(graph), 'The exact form: every node is finite at all 1,804 settings');
  });

  for (const setting of [
    { logit: 17 },
    { logit: 40, precision: 'float16' },
    { logit: 40, gamma: 0, precision: 'bfloat16' },
  ])
    test(`nothing is red at ${JSON.stringify(setting)}`, async () => {
      assert.doesNotMatch(await drawnAt(graph, setting), new RegExp(NAN_COLOR));
    });

  test('its gradient is the true one, to four digits in float32', () => {
    for (const { values, trueGradient } of exactStates().filter(({ precision }) => precision === 'float32'))
      assert.ok(Math.abs(values.gradient / trueGradient - 1) < 1e-4);
  });
});

describe('the float32 of the graphs is that of TensorFlow', () => {
  type Loss = (x: tf.Tensor, y: tf.Tensor, options: FocalLossOptions<'sum'>) => tf.Scalar;
  const gradients = (loss: Loss, gamma: number) =>
    tf.tidy(() => {
      const labels = tf.ones([LOGITS.length]);
      const summed = (x: tf.Tensor) => loss(x, labels, { alpha: -1, gamma, reduction: 'sum' });
      return Array.from(tf.grad(summed)(tf.tensor1d(LOGITS)).dataSync());
    });
  const float32 = <Name extends string>(states: GraphState<Name>[], gamma: number) =>
    states.filter((state) => state.precision === 'float32' && state.gamma === gamma);
  const close = (a: number, b: number) =>
    (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-6 * Math.abs(b);

  test('the gradients are those of its autodiff, NaN for NaN', () => {
    const before = tf.memory().numTensors;
    const [textbook, exact] = [textbookStates(), exactStates()];
    for (const gamma of GAMMAS.filter((each) => each > 0)) {
      const byAutodiff = gradients(sigmoidFocalLoss, gamma);
      for (const [i, { values, logit }] of float32(textbook, gamma).entries())
        assert.ok(close(values.gradient, byAutodiff[i]), `textbook ${gamma} ${logit}`);
      const byFormula = gradients(exactSigmoidFocalLoss, gamma);
      for (const [i, { values, logit }] of float32(exact, gamma).entries())
        assert.ok(
          close(values.gradient, byFormula[i]),
          `exact ${gamma} ${logit}: ${values.gradient} ${byFormula[i]}`,
        );
    }
    assert.equal(tf.memory().numTensors, before);
  });

  test('the emulation agrees in what is NaN and what is infinite, and differs by the rounding of p elsewhere', () => {
    for (const { values, logit, gamma } of textbookStates().filter(
      ({ precision }) => precision === 'float32',
    )) {
      const emulated = naiveFocalLossGradient(logit, 1, { alpha: -1, gamma, precision: 'float32' });
      assert.ok(Math.abs(values.p - emulated.p) <= 2 ** -23, `p at ${logit}`);
      for (const [mine, its] of [
        [values.wByQ, emulated.singularFactor],
        [values.throughP, emulated.throughModulatingFactor],
        [values.gradient, emulated.gradient],
      ])
        assert.ok(Number.isFinite(mine) ? Number.isFinite(its) : Object.is(mine, its), `${logit} ${gamma}`);
    }
  });

  test('the emulation of the exact form agrees to 1e-6 in every node', () => {
    for (const { values, logit, gamma } of exactStates().filter(({ precision }) => precision === 'float32')) {
      const emulated = exactFocalLossSteps(logit, 1, { gamma, precision: 'float32' });
      for (const name of ['e', 'q', 's', 'r', 'loss', 'bracket', 'product', 'gradient'] as const)
        assert.ok(close(values[name], emulated[name]), `${name} ${logit} ${gamma}`);
    }
  });
});

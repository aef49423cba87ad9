import { outputOf, outputsOf } from './fakeKernel';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chart, type VegaLiteSpec } from 'focal-loss-lab';
import { MARKS } from 'focal-loss-lab/dist/display/chart';
import { decodePng } from './decodePng';

const VEGA_LITE = 'application/vnd.vegalite.v5+json';

function points(title: VegaLiteSpec['title'], values: object[]): VegaLiteSpec {
  return {
    title,
    data: { values },
    mark: { type: 'point', tooltip: true },
    encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
  };
}

const VALUES = [
  { x: 0, y: 1 },
  { x: 1, y: 3 },
];

describe('chart', () => {
  test('is live, an image, and one line of text', async () => {
    const { data, metadata } = await outputOf(() =>
      chart(points({ text: 'It grows', subtitle: ['two', 'points'] }, VALUES)),
    );
    assert.deepEqual(Object.keys(data).sort(), [VEGA_LITE, 'image/png', 'text/plain'].sort());
    assert.equal(data['text/plain'], 'It grows: two points');
    assert.equal(
      (data[VEGA_LITE] as VegaLiteSpec).$schema,
      'https://vega.github.io/schema/vega-lite/v5.json',
    );
    assert.deepEqual((data[VEGA_LITE] as VegaLiteSpec).data, { values: VALUES });
    const { actions } = metadata[VEGA_LITE].embed_options as { actions: Record<string, boolean> };
    assert.deepEqual(
      Object.keys(actions).filter((action) => actions[action]),
      ['export'],
    );
  });

  test('the image has two pixels per CSS pixel and a white background', async () => {
    const { data, metadata } = await outputOf(() => chart(points('It grows', VALUES)));
    const image = decodePng(data['image/png']);
    const { width, height } = metadata['image/png'] as { width: number; height: number };
    assert.ok(Math.abs(image.width - 2 * width) <= 1 && Math.abs(image.height - 2 * height) <= 1);
    assert.deepEqual(image.at(0, 0), [255, 255, 255, 255]);
  });

  test('text is drawn in the image, Greek and mathematical signs included', async () => {
    const ink = async (title: string) =>
      decodePng((await outputOf(() => chart(points(title, VALUES)))).data['image/png']).dark();
    const least = await ink('.');
    for (const sign of ['M', 'γ', 'ε', '≤', '∞', '✓'])
      assert.ok((await ink(sign.repeat(5))) > least + 100, `${sign} leaves no ink`);
    assert.ok(least > 500, 'the numbers at the axes leave no ink');
  });

  test('the same chart is the same image', async () => {
    const draw = () => chart(points('It grows', VALUES));
    const [first, second] = [await outputOf(draw), await outputOf(draw)];
    assert.equal(first.data['image/png'], second.data['image/png']);
  });

  test('colors do not depend on the theme of the page', async () => {
    const { data } = await outputOf(() => chart(points('It grows', VALUES)));
    const config = (data[VEGA_LITE] as VegaLiteSpec).config as Record<string, Record<string, unknown>>;
    assert.equal(config.background, 'white');
    for (const [part, property] of [
      ['title', 'color'],
      ['title', 'subtitleColor'],
      ['axis', 'labelColor'],
      ['axis', 'titleColor'],
      ['axis', 'gridColor'],
      ['legend', 'labelColor'],
      ['legend', 'titleColor'],
      ['text', 'color'],
    ])
      assert.match(String(config[part][property]), /^#/, `${part}.${property} is left to the theme`);
  });

  test("a specification's own configuration wins, and the rest of ours stays", async () => {
    const spec = { ...points('It grows', VALUES), config: { axis: { gridColor: '#ff0000' } } };
    const { data } = await outputOf(() => chart(spec));
    const { axis } = (data[VEGA_LITE] as VegaLiteSpec).config as { axis: Record<string, unknown> };
    assert.equal(axis.gridColor, '#ff0000');
    assert.match(String(axis.labelColor), /^#/);
  });

  test('sliders and legend selections are drawn in their initial state', async () => {
    const ink = async (value: number) => {
      const params = [{ name: 'shown', value, bind: { input: 'range', min: 0, max: 1 } }];
      const base = points('It grows', VALUES);
      const spec = {
        ...base,
        params,
        mark: { type: 'bar', width: 40, color: 'black', opacity: { expr: 'shown' } },
      };
      return decodePng((await outputOf(() => chart(spec))).data['image/png']).dark();
    };
    assert.ok((await ink(1)) > (await ink(0)) + 1000);
  });

  for (const value of [NaN, Infinity, -Infinity])
    test(`${value} in the data is refused: it would be dropped in silence`, async () => {
      await assert.rejects(chart(points('It grows', [...VALUES, { x: 2, y: value }])), {
        message: new RegExp(`^chart: spec\\.data\\.values\\[2\\]\\.y is ${value},`),
      });
    });

  test('NaN is found in layers and scales too', async () => {
    const { title, ...layer } = points('It grows', [{ x: 0, y: NaN }]);
    await assert.rejects(chart({ title, layer: [layer] }), /spec\.layer\[0\]\.data\.values\[0\]\.y is NaN/);
    const spec = points('It grows', VALUES);
    await assert.rejects(
      chart({ ...spec, encoding: { x: { field: 'x', scale: { domain: [0, Infinity] } } } }),
      /spec\.encoding\.x\.scale\.domain\[1\] is Infinity/,
    );
  });

  test('without a title it is shown too, and says that it has none where only text is read', async () => {
    const { title: _title, ...untitled } = points('', VALUES);
    for (const spec of [untitled, points('  ', VALUES), points({ text: '' }, VALUES)]) {
      const { data } = await outputOf(() => chart(spec));
      assert.equal(data['text/plain'], 'a chart without a title');
    }
    const { data } = await outputOf(() => chart(points({ text: '', subtitle: 'two points' }, VALUES)));
    assert.equal(data['text/plain'], 'two points');
  });

  test('a misspelled mark is named, with the marks that there are', async () => {
    const { title, ...layer } = points('It grows', VALUES);
    for (const [spec, place] of [
      [{ ...layer, mark: 'pont' }, 'spec.mark'],
      [{ ...layer, mark: { type: 'pont', tooltip: true } }, 'spec.mark'],
      [{ layer: [layer, { ...layer, mark: 'pont' }] }, 'spec.layer[1].mark'],
      [
        { hconcat: [{ facet: { row: { field: 'x' } }, spec: { ...layer, mark: 'pont' } }] },
        'spec.hconcat[0].spec.mark',
      ],
    ] as const)
      await assert.rejects(chart({ title, ...spec }), {
        message: new RegExp(
          `^chart: ${place.replace(/[.[\]]/g, '\\$&')} is 'pont'; expected one of arc, .*, point, .*`,
        ),
      });
  });

  test('every mark of Vega-Lite is known', () => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { definitions } = require('vega-lite/build/vega-lite-schema.json') as {
      definitions: Record<string, { enum?: string[]; const?: string }>;
    };
    const composite = ['BoxPlot', 'ErrorBar', 'ErrorBand'].map((name) => definitions[name].const);
    assert.deepEqual(MARKS, [...(definitions.Mark.enum ?? []), ...composite].sort());
  });

  for (const [what, change] of [
    ['an unknown channel', { encoding: { hue: { field: 'x', type: 'nominal' } } }],
    ['a field that no row has', { encoding: { x: { field: 'z', type: 'quantitative' } } }],
    ['no data', { data: { values: [] } }],
    ['a formula that does not parse', { transform: [{ calculate: 'datum.x +', as: 'y' }] }],
  ] as const)
    test(`${what} is an error, and nothing is shown`, async () => {
      const sent = await outputsOf(() =>
        assert.rejects(
          chart({ ...points('It grows', VALUES), ...change }),
          /^Error: chart: Vega-Lite objects: /,
        ),
      );
      assert.deepEqual(sent, []);
    });
});

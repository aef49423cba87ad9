// The charts in the committed notebooks, where no script draws them: on GitHub, in an editor, on paper.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { allNotebooks } from '../pages.mjs';
import { root } from '../setup/project.mjs';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const RESOLUTION = 2; // pixels per CSS pixel
const WIDEST = 1000; // CSS pixels: about what GitHub and a laptop show
const HEAVIEST = 600_000; // bytes

const outputs = allNotebooks().flatMap((notebook) =>
  JSON.parse(fs.readFileSync(path.join(root, 'notebooks', notebook), 'utf8'))
    .cells.flatMap((cell) => cell.outputs ?? [])
    .map(({ data = {}, metadata = {} }) => ({ notebook, data, metadata })),
);
const isChart = ({ data }) => Object.keys(data).some((type) => type.startsWith('application/vnd.vega'));
const named = ({ notebook, metadata }) => `${notebook}: ${metadata['image/png']?.alt ?? 'without text'}`;

describe('the charts in the notebooks, without scripts', () => {
  const charts = outputs.filter(isChart);
  const pictures = outputs.filter(({ data }) => 'image/png' in data);

  test('every chart carries a picture', () => {
    assert.ok(charts.length > 0);
    assert.deepEqual(charts.filter((chart) => !pictures.includes(chart)).map(named), []);
  });

  test('every picture is a PNG of two pixels per CSS pixel, no wider than a page and not heavy', () => {
    for (const picture of pictures) {
      const png = Buffer.from(picture.data['image/png'], 'base64');
      assert.ok(png.subarray(0, 8).equals(SIGNATURE), named(picture));
      const pixels = [png.readUInt32BE(16), png.readUInt32BE(20)]; // the header begins with width and height
      const { width, height } = picture.metadata['image/png'];
      for (const [i, size] of [width, height].entries())
        assert.ok(Math.abs(pixels[i] - RESOLUTION * size) <= 1, `${named(picture)}: ${pixels} for ${size}`);
      assert.ok(width >= 200 && width <= WIDEST && height >= 100, `${named(picture)}: ${width} x ${height}`);
      assert.ok(png.length <= HEAVIEST, `${named(picture)}: ${png.length} bytes`);
    }
  });

  test('every picture has alternative text, and that of a chart begins with its title', () => {
    for (const picture of pictures) {
      const { alt = '' } = picture.metadata['image/png'];
      assert.ok(alt.trim().length >= 10, named(picture));
    }
    for (const { notebook, data, metadata } of charts) {
      const [spec] = Object.entries(data)
        .find(([type]) => type.startsWith('application/vnd.vega'))
        .slice(1);
      const title = [spec.title.text ?? spec.title].flat().join(' ');
      assert.ok(metadata['image/png'].alt.startsWith(title), `${notebook}: ${title}`);
    }
  });
});

// Searches for the largest errors of the exact losses: the numbers of their docstrings.
//
//   node scripts/losses/search.mjs [logits per gamma and label, default 200000] [backend, default tensorflow]
import { createRequire } from 'node:module';
import { binaryErrors, softmaxErrors } from './errors.mjs';

const losses = createRequire(import.meta.url)('focal-loss-lab');
const { tf } = losses;
const count = Number(process.argv[2] ?? 200_000);
tf.setBackend(process.argv[3] ?? 'tensorflow');

const steps = (first, last, step) =>
  Array.from({ length: Math.round((last - first) / step) + 1 }, (_, i) => first + i * step);
const RANGES = { '[0, 1]': steps(0, 1, 0.05), '(1, 2]': steps(1.1, 2, 0.1), '(2, 5]': steps(2.25, 5, 0.25), '(5, 8]': steps(5.5, 8, 0.5) }; // prettier-ignore

const largest = (found) => found.reduce((a, b) => (b.error > a.error ? b : a));
const text = ({ error, at }) => `${error.toFixed(2)} at ${JSON.stringify(at)}`;

for (const [range, gammas] of Object.entries(RANGES)) {
  const found = [];
  for (const [i, gamma] of gammas.entries())
    found.push(await binaryErrors({ tf, losses }, { gamma, count, seed: 1 + i }));
  console.log(
    `binary, gamma in ${range}: loss ${text(largest(found.map(({ loss }) => loss)))}, gradient ${text(largest(found.map(({ gradient }) => gradient)))}`,
  );
  for (const asRows of [false, true]) {
    const rows = [];
    for (const [i, gamma] of gammas.entries())
      for (const classes of [2, 3, 10, 21, 100, 1000]) {
        const size = Math.max(100, Math.min(20_000, Math.round(count / (4 * classes))));
        rows.push(await softmaxErrors({ tf, losses }, { classes, gamma, rows: size, seed: 1 + i, asRows }));
      }
    for (const part of ['loss', 'gradient', 'others'])
      console.log(
        `softmax ${asRows ? 'rows' : 'indices'}, gamma in ${range}: ${part} ${text(largest(rows.map((worst) => worst[part])))}`,
      );
  }
}

// The census of other libraries as a table for the site: prints as JSON what build.py fills into census.html.j2.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstFault, wrongAnswers } from 'focal-loss-lab/dist/figures/census.js';
import { readCensus } from 'focal-loss-lab/dist/results/census.js';

const FILE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../data/results/census.csv');

const { settings, rows } = readCensus(FILE);

/** By implementation, number format and gamma: its rows, one for each label. */
const groups = new Map();
for (const row of rows) {
  const { library, variant, version, dtype, gamma } = row;
  const key = JSON.stringify([library, variant, version, dtype, gamma]);
  groups.set(key, [...(groups.get(key) ?? []), row]);
}

const NO_WALL = { text: 'none', value: Infinity };
const NOT_MEASURED = { text: '–', value: Infinity };

const table = [...groups.values()].map((own) => {
  const [{ library, variant, version, framework, source, dtype, gamma }] = own;
  const wall = (label) => {
    const row = own.find((each) => each.label === label);
    const fault = row && firstFault(row);
    return fault ? { text: signed(fault.logit), value: Math.abs(fault.logit) } : NO_WALL;
  };
  const error = (key) => {
    const errors = own.map((row) => row[key]).filter((value) => value !== null);
    if (errors.length === 0) return NOT_MEASURED;
    const largest = Math.max(...errors);
    return { text: largest.toExponential(1), value: largest };
  };
  const faults = own.map(firstFault).filter((fault) => fault !== null);
  const what = faults.map(({ what, side }) => `${what}${side === 'wrong' ? ' at wrong answers' : ''}`);
  return {
    name: { text: [library, variant && `(${variant})`].filter(Boolean).join(' ') },
    version: { text: version ?? (source === 'formula' ? 'our formula' : '–') },
    framework: { text: framework },
    dtype: { text: dtype },
    gamma: { text: String(gamma), value: gamma },
    one: wall(1),
    zero: wall(0),
    what: { text: [...new Set(what)].join('; ') || '–' },
    loss: error('lossError'),
    gradient: error('gradientError'),
    wrong: { text: wrongAnswers(own, settings) },
  };
});

const columns = [
  { key: 'name', title: 'implementation' },
  { key: 'version', title: 'version' },
  { key: 'framework', title: 'framework' },
  { key: 'dtype', title: 'format' },
  { key: 'gamma', title: 'gamma' },
  { key: 'one', title: 'wall, label 1' },
  { key: 'zero', title: 'wall, label 0' },
  { key: 'what', title: 'what happens there' },
  { key: 'wrong', title: 'gradient of wrong answers' },
  { key: 'loss', title: 'error of the loss' },
  { key: 'gradient', title: 'error of the gradient' },
];

/** What is shown at first: the number format and a gamma for which a wall is met. */
const filters = [
  { key: 'gamma', title: 'gamma', choices: settings.gammas.map(String), initial: '0.5' },
  { key: 'dtype', title: 'format', choices: settings.dtypes, initial: 'float32' },
];

process.stdout.write(JSON.stringify({ settings, columns, filters, rows: table }));

/** With a true minus sign, as in the figures of the census. */
function signed(x) {
  return x < 0 ? `−${(-x).toFixed(2)}` : x.toFixed(2);
}

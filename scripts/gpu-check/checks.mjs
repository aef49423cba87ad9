// The checks of npm run gpu-check, in the order in which they are made: what is quick and tells most comes first. Each
// returns whether it is passed, a line for a person, and numbers.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { models as bench } from '../bench/models.mjs';
import { root } from '../setup/project.mjs';
import { compiledTests, countTests } from '../unit-tests.mjs';
import { TaskFailure } from './tasks.mjs';

const ULPS = 4; // of operations that treat each value by itself: the rounding of two libraries' functions
const SUMS = /MatMul|Conv|Mean|^Sum|SegmentSum|L2Loss|Softmax|Norm|BiasAddGrad|AddN|Momentum|Prod|Cum/;
const RELATIVE = 1e-5; // of sums, by the largest: their terms come in another order
const GRIDS = [9, 27, 135];
const EPOCHS = 5; // of ten steps

export const CHECKS = [
  { name: 'device', title: 'card and driver', run: device },
  { name: 'precision', title: 'products in float32, not TF32', run: precision },
  { name: 'walls', title: 'the walls of the textbook loss', run: walls },
  { name: 'exact', title: 'the exact loss', run: exact },
  { name: 'nan', title: 'what becomes of a NaN', run: nan },
  { name: 'operations', title: 'each operation next to the CPU', run: operations },
  { name: 'death', title: 'a training to its NaN', run: death },
  { name: 'networks', title: 'the five networks: repeated, eager, next to the CPU', run: networks },
  { name: 'grid', title: 'many models side by side', run: grids },
  { name: 'together', title: 'three processes at once', run: together },
  { name: 'memory', title: 'memory after 500 steps', run: memory },
  { name: 'resume', title: 'a shard killed and resumed', run: resume },
  { name: 'tests', title: 'the tests of models, layers, losses, training and grid', run: tests },
];

function device({ machine: { device: found, card, verdict, warning, variables, cards, variant } }) {
  if (found.kind === 'GPU') {
    const ok = verdict === null && warning === null && variables.NVIDIA_TF32_OVERRIDE === '0';
    return {
      ok,
      text: `${card ?? found.name}, ${found.gigaflops.toFixed(0)} GFLOP/s${warning ? `: ${warning}` : ''}`,
    };
  }
  const text = warning ?? `no GPU was seen (${variant.toUpperCase()} variant of TensorFlow); ${found.name}, ${found.gigaflops.toFixed(0)} GFLOP/s`; // prettier-ignore
  return { ok: cards.length === 0, text };
}

async function precision({ tasks }) {
  const found = await tasks.run('product');
  const worst = Math.max(found.product, found.convolution);
  const text = `largest relative error of a product ${found.product.toExponential(1)}, of a convolution ${found.convolution.toExponential(1)}`;
  return { ok: worst < RELATIVE, text, ...found };
}

async function walls({ tasks }) {
  const found = await tasks.run('walls');
  const wrong = found.filter(({ logit, finite }) => finite !== [16.63, -17.32].includes(logit));
  const text = wrong.length
    ? wrong
        .map(
          ({ gamma, logit, finite }) => `gamma ${gamma}, logit ${logit}: ${finite ? 'finite' : 'not finite'}`,
        )
        .join('; ')
    : 'at 16.64 (16.63 is finite) and -17.33 (-17.32 is finite), gamma 0.1, 0.5, 0.9';
  return { ok: wrong.length === 0, text, found };
}

async function exact({ tasks }) {
  const found = await tasks.run('exact');
  const broken = found.filter(({ bound, loss, gradient, finiteAtExtremes }) => Math.max(loss, gradient) > bound || !finiteAtExtremes); // prettier-ignore
  const worst = found.map(({ gamma, bound, loss, gradient }) => `${gamma}: ${Math.max(loss, gradient).toFixed(1)} of ${bound}`).join(', '); // prettier-ignore
  const extremes = found.every(({ finiteAtExtremes }) => finiteAtExtremes) ? 'finite' : 'not finite';
  return {
    ok: broken.length === 0,
    text: `largest error in ulp by gamma: ${worst}; ${extremes} at ±3.4e38`,
    found,
  };
}

async function nan({ tasks }) {
  const [found, cpu] = [await tasks.run('nan'), await tasks.run('nan', {}, { cpu: true })];
  const names = Object.keys(cpu);
  const differs = (name) => !isEqual(found[name], cpu[name]);
  // A NaN more than on the CPU is no harm; one that vanishes is.
  const lost = names.filter((name) =>
    cpu[name].some((value, i) => found[name][i] !== value && found[name][i] !== 'NaN'),
  );
  const more = names.filter((name) => differs(name) && !lost.includes(name));
  const text = [
    lost.length
      ? `other than on the CPU: ${lost.join(', ')}`
      : `as on the CPU, in ${names.length} operations and gradients`,
    ...(more.length ? [`a NaN more: ${more.join(', ')}`] : []),
  ].join('; ');
  return { ok: lost.length === 0, text, found, cpu };
}

async function operations({ tasks }) {
  const file = tasks.file('operations.json');
  const recorded = await tasks.run('operations', { mode: 'record', file }, { cpu: true, eager: true });
  const found = await tasks.run('operations', { mode: 'replay', file });
  const isSum = ({ op }) => SUMS.test(op);
  const bad = found.filter(
    (each) => each.refused !== undefined || (isSum(each) ? each.relative > RELATIVE : each.ulps > ULPS),
  );
  const describe = ({ op, types, refused, ulps, relative }) =>
    `${op} ${Object.values(types).join('/')}: ${refused ?? `${ulps.toFixed(1)} ulp, ${relative.toExponential(1)} of the largest`}`;
  const worst = Math.max(
    0,
    ...found.filter((each) => !isSum(each) && !bad.includes(each)).map(({ ulps }) => ulps),
  );
  const text = bad.length
    ? bad.map(describe).join('; ')
    : `${found.length} of ${recorded.recorded} (operation, types) compared, up to ${worst.toFixed(1)} ulp; the others only within training`;
  return { ok: bad.length === 0 && found.length > 0, text, notAlone: recorded.notAlone, found };
}

async function death({ tasks }) {
  const [found, cpu] = [await tasks.run('death'), await tasks.run('death', {}, { cpu: true })];
  const ofLoss = (runs, name) => runs.find(({ loss }) => loss === name);
  const { diverged } = ofLoss(found, 'original');
  const others = found.filter(({ loss }) => loss !== 'original');
  const ok =
    diverged !== null &&
    !(Number(diverged.maxAbsLogit) < 16.63) &&
    others.every((run) => run.diverged === null);
  const onCpu = ofLoss(cpu, 'original').diverged;
  const step = (at) =>
    at ? `step ${at.step}, largest |logit| ${Number(at.maxAbsLogit).toFixed(2)}` : 'never';
  return {
    ok,
    text: `the original loss: ${step(diverged)} (CPU: ${step(onCpu)}); the others live`,
    found,
    cpu,
  };
}

async function networks(context) {
  const rows = [];
  for (const work of bench.works) rows.push(await compare(context, work, { eager: true }));
  return joined(rows);
}

async function grids(context) {
  const rows = [];
  for (const grid of GRIDS)
    rows.push(await compare(context, { name: `grid of ${grid}`, grid }, { eager: grid === GRIDS[0] }));
  return joined(rows);
}

/** Two fresh processes have to agree to the last bit; eager and compiled, and the device and the CPU, but for rounding. */
async function compare({ tasks }, work, { eager }) {
  const run = async (out, options) => ({
    ...(await tasks.run('steps', { work, epochs: EPOCHS, out: tasks.file(out) }, options)),
    values: tasks.floats(out),
  });
  const [first, second] = [await run('first'), await run('second')];
  const step = eager ? await run('eager', { eager: true }) : undefined;
  const cpu = await run('cpu', { cpu: true });
  const repeats = first.hash === second.hash;
  const byEager = step && largestDifference(first.values, step.values);
  const byCpu = largestDifference(first.values, cpu.values);
  const notes = [
    `${work.name}: ${first.msMin.toFixed(1)} ms a step`,
    `CPU ${cpu.msMin.toFixed(1)}`,
    ...(step ? [`eager ${step.msMin.toFixed(1)}`] : []),
    repeats
      ? 'repeats'
      : `**does not repeat** (${largestDifference(first.values, second.values).toExponential(1)})`,
    ...(step ? [byEager === 0 ? 'eager the same bits' : `eager differs by ${byEager.toExponential(1)}`] : []),
    `CPU differs by ${byCpu.toExponential(1)}`,
  ];
  const numbers = ({ msMin, msMedian, states }) => ({
    msMin,
    msMedian,
    rssMB: Math.round(states.at(-1).rssMB),
  });
  return {
    ok: repeats && !(byEager > 1e-4) && byCpu < 1e-2, // fifty steps multiply a rounding
    text: notes.join(', '),
    row: {
      work: work.name,
      repeats,
      byEager,
      byCpu,
      device: numbers(first),
      cpu: numbers(cpu),
      eager: step && numbers(step),
    },
  };
}

const joined = (rows) => ({
  ok: rows.every(({ ok }) => ok),
  text: rows.map(({ text }) => text).join('; '),
  rows: rows.map(({ row }) => row),
});

/** Relative to the largest of the values. NaN and Infinity have to be the same, or it is Infinity. */
export function largestDifference(a, b) {
  if (a.length !== b.length) return Infinity;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(a[i]), Math.abs(b[i]));
    if (Number.isNaN(difference) || largest === Infinity) return Infinity;
  }
  if (difference === 0) return 0;
  for (const value of a) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return difference / largest;
}

async function together({ tasks }) {
  const work = bench.works[0];
  const run = () => tasks.run('steps', { work, epochs: EPOCHS });
  const found = await Promise.all([run(), run(), run()]);
  const ok = found.every(({ hash }) => hash === found[0].hash);
  const text = ok ? 'all end, with the same bits' : 'they end with different numbers';
  return { ok, text, msMin: found.map(({ msMin }) => msMin) };
}

async function memory({ tasks }) {
  const { states } = await tasks.run('steps', { work: bench.works[0], epochs: 50 });
  const [early, late] = [states[4], states.at(-1)];
  const grown = { tensors: late.tensors - early.tensors, rssMB: late.rssMB - early.rssMB, cardMiB: (early.freeMiB ?? 0) - (late.freeMiB ?? 0) }; // prettier-ignore
  const ok = grown.tensors === 0 && grown.rssMB < 200 && grown.cardMiB < 64;
  const card =
    early.freeMiB === undefined ? '' : `, ${grown.cardMiB} MiB of the card (others may use it too)`;
  return { ok, text: `from step 50 to 500: ${grown.tensors} tensors, ${grown.rssMB.toFixed(0)} MB of the process${card}`, grown }; // prettier-ignore
}

async function resume({ tasks }) {
  const options = ['--loss', 'original,exact', '--noise', '0.5', '--gamma', '0.1,0.5', '--threshold', '0', '--images', '1280', '--epochs', '6', '--learning-rate', '0.01']; // prettier-ignore
  const start = (out, more) => tasks.start([path.join(root, 'scripts/sweep.mjs'), ...options, '--out', tasks.file(out)], more); // prettier-ignore
  const whole = await start('whole.csv');
  let kills = 0;
  const checkpoint = new RegExp('safetensors$');
  await start('broken.csv', {
    onStart: async (child) => {
      const parts = `${tasks.file('broken.csv')}.parts`;
      const saved = () => fs.existsSync(parts) && fs.readdirSync(parts, { recursive: true }).some((name) => checkpoint.test(name)); // prettier-ignore
      while (child.exitCode === null && child.signalCode === null && !saved()) await sleep(20);
      if (child.exitCode === null && child.kill('SIGKILL')) kills++;
    },
  });
  const again = await start('broken.csv');
  if (!whole.ok || !again.ok) throw new TaskFailure(`the sweep: ${(whole.ok ? again : whole).complaint}`);
  const table = (name) =>
    fs
      .readFileSync(tasks.file(name.replace(/\.csv$/, '.epochs.csv')), 'utf8')
      .split('\n')
      .slice(1)
      .join('\n');
  const equal = table('whole.csv') === table('broken.csv');
  const text = [kills ? 'killed after its first checkpoint' : '**it had ended before it could be killed**', equal ? 'ends with the numbers of the undisturbed one' : 'ends with other numbers']; // prettier-ignore
  return { ok: kills === 1 && equal, text: text.join('; ') };
}

const TESTS = /(models|losses)\/|datasets\/augment|training\/train\.|grid\/(trainGrid|lenetBatch)|tf\//;

async function tests({ tasks }) {
  const files = compiledTests().filter((file) => TESTS.test(file));
  const rows = [];
  for (const file of files) {
    const { ok, output, complaint } = await tasks.start(['--test', '--test-reporter=spec', file]);
    rows.push({ file, ok, ...countTests(output), output: ok ? undefined : output.slice(-4000), complaint: ok ? undefined : complaint }); // prettier-ignore
  }
  const failed = rows.filter(({ ok }) => !ok);
  const passed = rows.reduce((sum, row) => sum + row.passed, 0);
  const name = ({ file, failed: count }) => `${path.relative('lib/dist/test', file)} (${count})`;
  const text = `${passed} passed in ${rows.length} files${failed.length ? `; failures in ${failed.map(name).join(', ')}` : ''}`;
  return { ok: failed.length === 0 && rows.length > 0, text, rows };
}

const isEqual = (a, b) => JSON.stringify(a) === JSON.stringify(b);

import assert from 'node:assert/strict';
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  PAPER_SWEEP,
  readSweep,
  results,
  runSweep,
  samplesOfStep,
  type SweepRun,
  type SweepSettings,
} from 'focal-loss-lab';
import type { SweepEpoch, SweepOptions, SweepResult } from 'focal-loss-lab/dist/sweep';
import { isRunning } from 'focal-loss-lab/dist/isRunning';
import type { StoredShard } from 'focal-loss-lab/dist/sweep/partFiles';
import { countShards, runShard } from 'focal-loss-lab/dist/sweep/runSweep';
import seedrandom from 'seedrandom';
import type { StoppedSweep } from './stoppedSweep';
import type { SweepOutcome, SweepPlan } from './sweepRun';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sweep-test-'));
after(() => fs.rmSync(folder, { recursive: true }));
process.env.CUDA_VISIBLE_DEVICES = ''; // of the sweeps: on a GPU the numbers may differ by rounding
let files = 0;
const newFile = () => path.join(folder, `sweep${files++}`, 'runs.csv');

/** 12 runs, in shards of 4 three of them. The learning rate makes some original losses NaN within these epochs, of 8 steps. */
const SMALL: SweepSettings = {
  ...PAPER_SWEEP,
  noises: [0],
  gammas: [0.1, 0.9, 2],
  thresholds: [0, 4],
  images: 128,
  epochs: 6,
  batchSize: 16,
  learningRate: 0.2,
};
const SHARDS_OF_4 = { modelsPerShard: 4, workers: 2 };
/** To go on: a worker needs longer to start than to train a shard. */
const ONE_WORKER = { ...SHARDS_OF_4, workers: 1 };

interface Process {
  child: ChildProcess;
  pid: number;
  /** undefined: it was killed. */
  outcome: Promise<SweepOutcome | undefined>;
  printed: () => string;
}

function start(settings: SweepSettings, options: SweepOptions, shard?: number): Process {
  const plan: SweepPlan = { settings, options, shard };
  const child = fork(path.join(__dirname, 'sweepRun.js'), [JSON.stringify(plan)], { stdio: 'pipe' });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const outcome = new Promise<SweepOutcome | undefined>((resolve, reject) => {
    let sent: SweepOutcome | undefined;
    child.on('message', (message) => (sent = message as SweepOutcome));
    child.on('error', reject);
    child.on('exit', () => resolve(sent));
  });
  return { child, pid: child.pid!, outcome, printed: () => printed };
}

/** The whole sweep, which must succeed. */
async function sweep(settings: SweepSettings, options: SweepOptions) {
  const { outcome, printed } = start(settings, options);
  const result = await outcome;
  assert.ok(result !== undefined && 'runs' in result, `${JSON.stringify(result)}\n${printed()}`);
  return result.runs;
}

/** Of a call that is refused, in the test's own process. */
async function errorOf(settings: SweepSettings, options: SweepOptions, shard?: number): Promise<string> {
  const call = shard === undefined ? runSweep(settings, options) : runShard(settings, shard, options);
  return call.then(
    () => assert.fail('it was not refused'),
    (error) => String(error),
  );
}

/** Both tables without the only column that differs from one sweep to the next. */
function numbersIn(out: string): Pick<SweepResult, 'runs' | 'epochs'> {
  const { runs, epochs } = readSweep(out);
  return { runs: runs.map((run) => ({ ...run, seconds: null })), epochs };
}

function workersOf(pid: number): number[] {
  try {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it has ended
  }
}

const partsOf = (out: string) => `${out}.parts`;
const isTraining = (out: string) =>
  fs.existsSync(partsOf(out)) && fs.readdirSync(partsOf(out)).some((name) => name.endsWith('.partial.json'));

/** When each epoch of each shard was completed, by the clock of its training: an epoch that is trained again has another. */
function clocksIn(out: string): Map<string, number[]> {
  const names = fs.existsSync(partsOf(out)) ? fs.readdirSync(partsOf(out)) : [];
  const shards = names.filter((name) => /^\d{4}(\.partial)?\.json$/.test(name));
  return new Map(
    shards.map((name) => {
      const { runs } = JSON.parse(fs.readFileSync(path.join(partsOf(out), name), 'utf8')) as StoredShard;
      const clocks = runs.map(({ records }) => records.map(({ seconds }) => seconds));
      return [
        name.slice(0, 4),
        clocks.reduce((longest, other) => (other.length > longest.length ? other : longest)),
      ];
    }),
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

const undisturbed = newFile();
before(async () => {
  await sweep(SMALL, { out: undisturbed, ...SHARDS_OF_4 });
});

describe('a sweep', () => {
  test('has a row for every run and every epoch before a NaN, in the order of the settings', () => {
    const { runs, epochs } = numbersIn(undisturbed);
    const { losses, gammas, thresholds } = SMALL;
    const expected = losses.flatMap((loss) =>
      gammas.flatMap((gamma) => thresholds.map((threshold) => [loss, 0, gamma, threshold, 1].join())),
    );
    const keyOf = ({ loss, noise, gamma, threshold, seed }: SweepRun | SweepEpoch) =>
      [loss, noise, gamma, threshold, seed].join();
    assert.deepEqual(runs.map(keyOf), expected);
    for (const run of runs) {
      assert.equal(run.epochs, run.firstNanEpoch ?? SMALL.epochs);
      const own = epochs.filter((row) => keyOf(row) === keyOf(run));
      assert.deepEqual(
        own.map(({ epoch }) => epoch),
        Array.from({ length: Number(run.epochs) }, (_, i) => i),
      );
      assert.equal(run.lastFiniteLoss, own.at(-1)?.meanLoss ?? null);
    }
  });

  test('meets NaN in runs of the original loss with gamma between 0 and 1 and in no others', () => {
    const nan = numbersIn(undisturbed).runs.filter(({ firstNanEpoch }) => firstNanEpoch !== null);
    assert.ok(nan.length > 0, 'the settings of this test do not reach it');
    for (const { loss, gamma } of nan) assert.ok(loss === 'original' && gamma !== 2);
  });

  test('names the image that ended a run, and counts those that could have, in the batch and in all', () => {
    const { images: samples, batchSize } = SMALL;
    for (const run of numbersIn(undisturbed).runs) {
      const { firstNanStep, seed, fatalImage, batchBeyond, imagesBeyond } = run;
      if (firstNanStep === null)
        assert.deepEqual([fatalImage, batchBeyond, imagesBeyond], [null, null, null]);
      else {
        assert.ok(samplesOfStep(firstNanStep, { samples, batchSize, seed }).includes(fatalImage!));
        assert.ok(batchBeyond! >= 1 && imagesBeyond! >= batchBeyond! && imagesBeyond! <= samples);
      }
    }
  });

  test('with an order seed trains each seed by that order, and with its own numbers as before', async () => {
    const out = newFile();
    const few = { ...SMALL, losses: ['original'], gammas: [0.1], thresholds: [4], seeds: [1, 2], orderSeed: 1 } as const; // prettier-ignore
    const [one, two] = await sweep(few, { out, workers: 1 });
    const known = readSweep(undisturbed).runs.find((run) => run.loss === 'original' && run.gamma === 0.1 && run.threshold === 4); // prettier-ignore
    assert.deepEqual({ ...one, seconds: 0 }, { ...known, seconds: 0 });
    assert.notEqual(two.lastFiniteLoss, one.lastFiniteLoss);
    const [itsOwnOrder] = await sweep(
      { ...few, seeds: [2], orderSeed: null },
      { out: newFile(), workers: 1 },
    );
    assert.notEqual(two.lastFiniteLoss, itsOwnOrder.lastFiniteLoss);
    assert.match(await errorOf({ ...few, orderSeed: null }, { out }), /orderSeed is 1 there, null here/);
  });

  test('is read from a table without these three columns, too', () => {
    const old = newFile();
    const { rows, ...rest } = results.readRun(undisturbed);
    const names = ['fatalImage', 'batchBeyond', 'imagesBeyond'];
    const without = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))),
    );
    results.writeRun(old, { ...rest, rows: without });
    fs.copyFileSync(undisturbed.replace('.csv', '.epochs.csv'), old.replace('.csv', '.epochs.csv'));
    const none = { fatalImage: null, batchBeyond: null, imagesBeyond: null };
    assert.deepEqual(
      readSweep(old).runs,
      readSweep(undisturbed).runs.map((run) => ({ ...run, ...none })),
    );
  });

  test('says with which settings, code and device it was made, and keeps nothing next to the two tables', () => {
    const { settings, versions } = results.readRun(undisturbed);
    assert.deepEqual(readSweep(undisturbed).versions, versions);
    for (const [name, value] of Object.entries(SMALL)) assert.deepEqual(settings[name], value);
    assert.match(versions.code, /^[0-9a-f]{16}$/);
    assert.equal((settings.devices as string[]).length, 1);
    assert.deepEqual(fs.readdirSync(path.dirname(undisturbed)).sort(), ['runs.csv', 'runs.epochs.csv']);
  });

  test('that is complete is read, not trained again', async () => {
    const before = fs.statSync(undisturbed).mtimeMs;
    const runs = await sweep(SMALL, { out: undisturbed, ...SHARDS_OF_4 });
    assert.deepEqual(runs, results.readRun(undisturbed).rows);
    assert.equal(fs.statSync(undisturbed).mtimeMs, before);
  });

  test('has the same numbers, however it is divided into shards', async () => {
    const out = newFile();
    await sweep(SMALL, { out, modelsPerShard: 12, workers: 1 });
    assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
  });
});

describe('a sweep that is disturbed and resumed ends like an undisturbed one', () => {
  test('parent and workers killed -9 at random moments', async () => {
    const random = seedrandom('1');
    const out = newFile();
    let earlier = new Map<string, number[]>();
    for (const victim of ['parent', 'worker', 'parent'] as const) {
      const { child, pid, outcome } = start(SMALL, { out, ...SHARDS_OF_4 });
      const moment = until(() => isTraining(out)).then(() => sleep(400 * random()));
      await Promise.race([moment, outcome]);
      const workers = workersOf(pid);
      if (victim === 'worker' && workers.length > 0)
        process.kill(workers[Math.floor(random() * workers.length)], 'SIGKILL');
      else child.kill('SIGKILL');
      if (victim === 'parent') {
        await outcome;
        await until(() => !workers.some(isRunning)); // they end by themselves
      } else await outcome;
      const now = clocksIn(out);
      for (const [shard, clocks] of earlier) {
        const kept = clocks.slice(0, -1); // the table may be one epoch ahead of the checkpoint
        assert.deepEqual(now.get(shard)?.slice(0, kept.length), kept, 'no whole epoch is trained again');
      }
      earlier = now;
    }
    await sweep(SMALL, { out, ...ONE_WORKER });
    assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
    assert.deepEqual(fs.readdirSync(path.dirname(out)).sort(), ['runs.csv', 'runs.epochs.csv']);
  });

  test('Ctrl-C: the table has what there is, and one line says how to go on', async () => {
    const out = newFile();
    const { child, pid, outcome, printed } = start(SMALL, { out, ...SHARDS_OF_4 });
    await until(() => isTraining(out));
    const workers = workersOf(pid);
    for (const worker of workers) process.kill(worker, 'SIGINT'); // a terminal sends it to the whole group
    child.kill('SIGINT');
    assert.deepEqual(await outcome, { error: 'Error: stopped' });
    assert.ok(!workers.some(isRunning));
    assert.match(
      printed(),
      /sweep: stopped after .* shards.*; the same call goes on from .*runs\.csv\.parts/,
    );
    const { runs } = numbersIn(out);
    assert.equal(runs.length, 12);
    const done = runs.map(({ epochs }) => Number(epochs));
    assert.ok(done.some((epochs) => epochs > 0) && done.some((epochs) => epochs < SMALL.epochs));
    await sweep(SMALL, { out, ...ONE_WORKER });
    assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
  });

  test('Stop in a notebook: the cell ends, the workers too, and the same cell goes on', async () => {
    const out = newFile();
    const plan: SweepPlan = { settings: SMALL, options: { out, ...SHARDS_OF_4 } };
    const child = fork(path.join(__dirname, 'stoppedSweep.js'), [JSON.stringify(plan)], { stdio: 'ignore' });
    const { error, lines } = await new Promise<StoppedSweep>((resolve, reject) => {
      child.on('message', (message) => resolve(message as StoppedSweep));
      child.on('error', reject);
    });
    assert.equal(error, 'Interrupted: stopped by the user');
    assert.match(lines[lines.length - 1], /^sweep: stopped after .*; the same call goes on from .*\.parts$/);
    assert.ok(!fs.existsSync(`${out}.lock`));
    await sweep(SMALL, { out, ...ONE_WORKER });
    assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
  });

  test('shard by shard, as on a cluster, and then collected', async () => {
    const out = newFile();
    const shards = countShards(SMALL, { out, ...SHARDS_OF_4 });
    assert.match(
      await errorOf(SMALL, { out, ...SHARDS_OF_4, workers: 0 }),
      /SweepError: there are no shards in .*runs\.csv\.parts/,
    );
    for (let shard = 0; shard < shards; shard++) {
      if (shard === shards - 1)
        assert.match(
          await errorOf(SMALL, { out, ...SHARDS_OF_4, workers: 0 }),
          /SweepError: shards 2 are not complete; .*runs\.csv has what there is/,
        );
      const { outcome, printed } = start(SMALL, { out, ...SHARDS_OF_4 }, shard);
      assert.deepEqual(await outcome, { runs: [] }, printed());
      assert.ok(fs.existsSync(path.join(partsOf(out), `000${shard}.json`)));
    }
    await sweep(SMALL, { out, ...SHARDS_OF_4, workers: 0 });
    assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
  });

  const namespaces = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', os.tmpdir()]).status === 0;
  test(
    'a disk that fills up ends it with one line',
    { skip: !namespaces && 'needs a file system of its own (unshare -rm)' },
    async () => {
      const [disk, copy] = [path.join(folder, 'disk'), newFile()];
      const out = path.join(disk, 'runs.csv');
      fs.mkdirSync(disk);
      const run = `"${process.execPath}" "${path.join(__dirname, 'fullDisk.js')}"`;
      const plan: SweepPlan = { settings: SMALL, options: { out, ...ONE_WORKER } };
      const script = `mount -t tmpfs -o size=20m none "${disk}" && ${run} "$PLAN" "${copy}"`;
      const { stdout, stderr, status } = spawnSync('unshare', ['-rm', 'sh', '-c', script], {
        encoding: 'utf8',
        env: { ...process.env, PLAN: JSON.stringify(plan) },
      });
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /^SweepError: .*(ENOSPC|is the disk full).*$/m);
      assert.deepEqual(numbersIn(copy), numbersIn(undisturbed));
    },
  );
});

describe('a sweep is refused', () => {
  test('where the table is of other settings, and the table stays', async () => {
    const content = fs.readFileSync(undisturbed);
    for (const [changes, difference] of [
      [{ epochs: 7 }, 'epochs is 6 there, 7 here'],
      [{ gammas: [0.1, 0.9] }, 'gammas is [0.1,0.9,2] there, [0.1,0.9] here'],
    ] as const)
      assert.equal(
        await errorOf({ ...SMALL, ...changes }, { out: undisturbed }),
        `SweepError: ${undisturbed} belongs to another sweep: ${difference}; delete it, or choose another name`,
      );
    assert.deepEqual(fs.readFileSync(undisturbed), content);
  });

  test('where the parts are of other settings, another version of the code, or divided otherwise', async () => {
    const out = newFile();
    const options = { out, ...SHARDS_OF_4 };
    const short = { ...SMALL, images: 16, epochs: 1 };
    await start(short, options, 2).outcome;
    const identity = path.join(partsOf(out), 'sweep.json');
    const content = fs.readFileSync(identity, 'utf8');
    assert.match(await errorOf({ ...short, alpha: 0.25 }, options), /alpha is 0\.5 there, 0\.25 here/);
    assert.throws(() => countShards({ ...short, alpha: 0.25 }, options), /alpha is 0\.5 there, 0\.25 here/);
    assert.match(
      await errorOf(short, { ...options, modelsPerShard: 3 }),
      /modelsPerShard is 4 there, 3 here/,
    );
    fs.writeFileSync(identity, content.replace(/"code": "./, '"code": "x'));
    assert.match(await errorOf(short, options), /belongs to another sweep: code is "x.* there/);
    assert.match(await errorOf(short, options, 0), /belongs to another sweep: code is "x.* there/);
  });

  test('while another process writes the same table, on this machine or another', async () => {
    const out = newFile();
    const lock = `${out}.lock`;
    fs.mkdirSync(path.dirname(out));
    fs.symlinkSync(`${os.hostname()}:${process.pid}`, lock);
    assert.match(await errorOf(SMALL, { out }), new RegExp(`is being written by process ${process.pid} on `));
    fs.unlinkSync(lock);
    fs.symlinkSync('elsewhere:1', lock);
    assert.match(
      await errorOf(SMALL, { out }),
      /is being written by process 1 on elsewhere.*delete .*\.lock/,
    );
  });

  test('where the table is something else, or its parts are gone', async () => {
    const out = newFile();
    fs.mkdirSync(path.dirname(out));
    fs.writeFileSync(out, 'loss,gamma\n');
    assert.match(await errorOf(SMALL, { out }), /SweepError: .* was not written by writeRun/);
    fs.writeFileSync(out, fs.readFileSync(undisturbed, 'utf8').replace(/^stabilized,0,2,4,1,6,/m, 'stabilized,0,2,4,1,5,'));
    assert.match(await errorOf(SMALL, { out }), /stopped in the middle.*runs\.csv\.parts.* is missing/);
  }); // prettier-ignore

  test('with options out of range', async () => {
    assert.match(await errorOf(SMALL, { out: 'runs.txt' }), /RangeError: runSweep: out: runs\.txt; expected/);
    assert.match(
      await errorOf(SMALL, { out: undisturbed, workers: 0.5 }),
      /workers: 0\.5; expected an integer/,
    );
    assert.match(await errorOf(SMALL, { out: undisturbed }, 99), /runShard: index: 99; expected .* 0\.\.1/);
  });
});

describe('a worker that is killed', () => {
  test('again and again is started twice more, and then named in one clear error', async () => {
    const out = newFile();
    const { pid, outcome, printed } = start(SMALL, { out, modelsPerShard: 4, workers: 1 });
    await until(() => isTraining(out));
    const killed = new Set<number>();
    const killer = setInterval(() => {
      for (const worker of workersOf(pid)) {
        killed.add(worker);
        process.kill(worker, 'SIGKILL');
      }
    }, 50);
    try {
      const result = await outcome;
      assert.ok(result !== undefined && 'error' in result);
      assert.match(
        result.error,
        /^SweepError: The worker of shard \d \(noise 0, seed 1, .*\) has died: killed by SIGKILL.*; 3 times in a row/,
      );
    } finally {
      clearInterval(killer);
    }
    assert.equal(killed.size, 3);
    assert.equal(printed().match(/^WARNING: .*Another one goes on\.$/gm)?.length, 2);
  });
});

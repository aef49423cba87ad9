// workflow/Snakefile, here and on a real Slurm. Needs Snakemake (workflow/requirements.txt; SNAKEMAKE names the program),
// for the second also root and Debian's packages munge, slurmctld, slurmd, slurm-client.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../setup/project.mjs';

const snakemake =
  process.env.SNAKEMAKE ??
  ['snakemake', path.join(root, '.venv-workflow/bin/snakemake')].find(
    (program) => spawnSync(program, ['--version']).status === 0,
  );
const oneNode = path.join(root, 'scripts/test/slurm/one-node.sh');
const hasSlurm =
  process.getuid() === 0 &&
  os.availableParallelism() > 1 &&
  ['munged', 'slurmctld', 'slurmd'].every((name) => fs.existsSync(`/usr/sbin/${name}`));
const noSnakemake =
  !snakemake && 'no snakemake: pip install -r workflow/requirements.txt, or SNAKEMAKE=/path/to/it';
const noSlurm =
  !hasSlurm && 'no Slurm: needs root, two cores, and apt-get install munge slurmctld slurmd slurm-client';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'workflow-test-'));
fs.chmodSync(folder, 0o755); // munge wants its socket to be reachable for every user
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Three shards. */
const OPTIONS =
  '--noise 0 --gamma 0.1,0.9,2 --threshold 0,4 --images 2048 --batch-size 32 --epochs 8 --models-per-shard 4';

function workflow(out, ...args) {
  const config = ['--config', `out=${out}`, `options="${OPTIONS}"`, 'retries=0'];
  const child = spawn(snakemake, ['-s', 'workflow/Snakefile', ...args, ...config], { cwd: root });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, printed })));
}

/** Both tables, without the header line, and without the seconds, which are the last column of the first. */
function numbersIn(out) {
  const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').slice(1);
  const runs = lines(out).map((line) => line.replace(/,[^,]*$/, ''));
  return { runs, epochs: lines(out.replace(/\.csv$/, '.epochs.csv')) };
}

const partsIn = (out) => (fs.existsSync(`${out}.parts`) ? fs.readdirSync(`${out}.parts`) : []);

const undisturbed = path.join(folder, 'undisturbed.csv');
function trainUndisturbed() {
  if (fs.existsSync(undisturbed)) return;
  const args = ['scripts/sweep.mjs', ...OPTIONS.split(' '), '--out', undisturbed];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

describe('the sweep as a workflow of Snakemake', () => {
  test('has the same numbers as the sweep itself, and is not run twice', { skip: noSnakemake }, async () => {
    trainUndisturbed();
    const out = path.join(folder, 'local.csv');
    const { status, printed } = await workflow(out, '--cores', '2');
    assert.equal(status, 0, printed);
    assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
    assert.match((await workflow(out, '--cores', '2')).printed, /Nothing to be done/);
  });

  test(
    'on Slurm: a job is killed, and a rerun completes what is missing from where it was',
    { skip: noSnakemake || noSlurm },
    async (t) => {
      trainUndisturbed();
      const slurm = path.join(folder, 'slurm');
      const up = spawnSync(oneNode, ['up', slurm], { encoding: 'utf8' });
      t.after(() => spawnSync(oneNode, ['down', slurm]));
      assert.equal(up.status, 0, up.stderr);

      const out = path.join(folder, 'slurm.csv');
      const onSlurm = [
        ...['--executor', 'slurm', '--jobs', '2', '--default-resources', 'slurm_partition=main'],
        ...['--slurm-status-command', 'squeue', '--slurm-init-seconds-before-status-checks', '1'],
        ...['--set-resources', 'shard:runtime=10'],
      ];
      const first = workflow(out, ...onSlurm);
      const begun = () => partsIn(out).filter((name) => name.endsWith('.partial.json')).length;
      let ended = false;
      first.then(() => (ended = true));
      while (begun() < 2 && !ended) await sleep(50); // both jobs are in the middle of a shard
      const { stdout: jobs } = spawnSync('squeue', ['-h', '-t', 'R', '-o', '%i'], { encoding: 'utf8' });
      const victim = jobs.trim().split('\n')[0];
      spawnSync('scancel', ['--signal=KILL', '--full', victim]);
      const { status, printed } = await first;
      assert.notEqual(status, 0, printed);
      const [complete, partial] = ['.json', '.partial.json'].map((end) =>
        partsIn(out).filter((name) => /^\d{4}/.test(name) && name.slice(4) === end),
      );
      assert.ok(partial.length >= 1, `${partsIn(out)}`);
      const epochsThen = Object.fromEntries(partial.map((name) => [name, epochsIn(`${out}.parts/${name}`)]));
      t.diagnostic(
        `killed job ${victim}; complete then: ${complete}; in the middle: ${JSON.stringify(epochsThen)}`,
      );

      const again = await workflow(out, ...onSlurm, '--rerun-incomplete');
      assert.equal(again.status, 0, again.printed);
      const rerun = again.printed.match(/^rule shard:/gm).length;
      assert.equal(rerun, 3 - complete.length, 'a complete shard is not trained again');
      assert.deepEqual(numbersIn(out), numbersIn(undisturbed));
    },
  );
});

const epochsIn = (file) =>
  Math.max(...JSON.parse(fs.readFileSync(file)).runs.map(({ records }) => records.length));

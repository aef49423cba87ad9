import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { throwIfEnding } from '../setup/processes.mjs';
import { root } from '../setup/project.mjs';

const KEPT = 8000; // characters of what a task complains of
const LEAST_MS = 60_000; // the device is looked at, however little time there is
const TELLING = /^\w*Error(?: \[\w+\])?: |^\S+: \w*Error: |Check failed|^[EF]\d{4} /; // of Node, of TensorFlow

/** A task has ended without an answer; `late`: because there was no more time. */
export class TaskFailure extends Error {
  name = 'TaskFailure';

  constructor(message, { late = false } = {}) {
    super(message);
    this.late = late;
  }
}

/** Programs of the folder tasks, each in a process of its own: some measure what only a fresh process shows. */
export class Tasks {
  constructor(folder, deadline) {
    this.folder = folder;
    this.deadline = deadline;
  }

  /**
   * @param name  of a file in tasks; it is given `argument` as JSON, and its last line is JSON
   * @param cpu  hides the GPU from it
   * @param eager  has it make each training step operation by operation
   * @returns {Promise<any>} what it has found
   * @throws TaskFailure where it fails, or is not done before the deadline
   */
  async run(name, argument = {}, { cpu = false, eager = false } = {}) {
    const { ok, output, complaint } = await this.start([path.join(root, 'scripts/gpu-check/tasks', `${name}.cjs`), JSON.stringify(argument)], { cpu, eager }); // prettier-ignore
    if (!ok) throw new TaskFailure(`${name}${cpu ? ' on the CPU' : ''}: ${complaint}`);
    return JSON.parse(output.trimEnd().split('\n').at(-1));
  }

  /**
   * Runs Node with these arguments until it ends or the time is over.
   *
   * @throws Interrupted; TaskFailure if the time is over
   */
  async start(args, { cpu = false, eager = false, onStart = () => {} } = {}) {
    const env = {
      ...process.env,
      NODE_NO_WARNINGS: '1',
      TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '2',
      ...(cpu && { CUDA_VISIBLE_DEVICES: '-1', TF_DEVICE: 'cpu' }),
      ...(eager && { FOCAL_EAGER: '1' }),
    };
    const ended = await new Promise((resolve) => {
      const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
      onStart(child);
      let late = false;
      const timeout = setTimeout(
        () => (late = child.kill('SIGKILL')),
        Math.max(LEAST_MS, this.deadline - performance.now()),
      );
      let [output, errors] = ['', ''];
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-KEPT)));
      child.on('error', (error) => (errors += error.message));
      child.on('close', (code, signal) => {
        clearTimeout(timeout);
        const lines = errors.trim().split('\n');
        const telling = lines.find((line) => TELLING.test(line)) ?? lines.at(-1);
        const complaint = [signal ?? `exit code ${code}`, telling].filter(Boolean).join(': ');
        resolve({ late, ok: code === 0, output, complaint });
      });
    });
    throwIfEnding(); // Ctrl-C has reached both
    if (ended.late) throw new TaskFailure('the time was over', { late: true });
    return ended;
  }

  /** A name in the folder that goes when all is done. */
  file(name) {
    return path.join(this.folder, name);
  }

  floats(name) {
    const { buffer, byteOffset, byteLength } = fs.readFileSync(this.file(name));
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  }
}

// Runs a program in several processes at once, and prints what a step of a model takes with the whole machine at work.
//
// node together.mjs PROGRAM ARGUMENT... TASK: the program gets the task and prints the milliseconds of each of its steps,
// one a line, for as long as it is let. Output: see ../rounds.mjs.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createInterface } from 'node:readline';

const [program, ...args] = process.argv.slice(2);
const { processes, models, warmUp, steps } = JSON.parse(args.at(-1));

const running = Array.from({ length: processes }, () => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ms = [];
  createInterface(child.stdout).on('line', (line) => {
    ms.push(Number(line));
    proceed();
  });
  child.on('error', fail);
  child.on('exit', () => fail(new Error('a process has ended before its time')));
  return { child, ms };
});

let ended = false; // lines that were read together with the last one still come
let warm; // steps of each process at the moment when the last of them was warm: from there on they are counted
function proceed() {
  if (ended) return;
  if (warm === undefined && running.every(({ ms }) => ms.length >= warmUp))
    warm = running.map(({ ms }) => ms.length);
  if (warm === undefined || running.some(({ ms }, i) => ms.length < warm[i] + steps)) return;
  const rssMB = running.reduce((sum, { child }) => sum + peakMB(child.pid), 0);
  end();
  // All processes are at work in each of these steps, so that their rates add up.
  const rate = (step) => running.reduce((sum, { ms }, i) => sum + models / ms[warm[i] + step], 0);
  console.log(JSON.stringify({ ms: Array.from({ length: steps }, (_, step) => 1 / rate(step)), rssMB }));
}

function end() {
  ended = true;
  for (const { child } of running) {
    child.removeAllListeners('exit').kill('SIGKILL');
    child.stdout.destroy();
  }
}

function fail(error) {
  end();
  console.error(error.message);
  process.exitCode = 1;
}

function peakMB(pid) {
  const [, kB] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kB) / 1024;
}

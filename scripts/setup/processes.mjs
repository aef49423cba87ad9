import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { adviceFor, Interrupted, SetupFailure } from './failure.mjs';

const GRACE_MS = 5000; // for an interrupted tool to clean up before it is killed

/** The error with which everything ends: an Interrupted, or the first failure of what was done together. */
let ending = null;
/** Of each tool that is running a function that stops it. */
const running = new Set();

function end(error) {
  ending ??= error;
  for (const stop of running) stop();
}

/** From now on Ctrl-C and polite kills end the tools that are running and surface as Interrupted. */
export function catchInterrupts() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => end(new Interrupted(signal)));
}

/** @throws the error with which everything ends, if there is one */
export function throwIfEnding() {
  if (ending) throw ending;
}

/** Does all this at the same time. Where one of it fails, the tools of the others are stopped, and its error is thrown. */
export async function together(...works) {
  await Promise.all(works.map((work) => work().catch(end)));
  throwIfEnding();
}

/**
 * Runs a tool to its end and collects what it prints, into a log file too if one is named.
 * It gets a process group of its own, so that an interrupt reaches it once, from here, with all its children.
 *
 * @param echo  lines of its output that match are shown as they come
 * @returns {Promise<{ ok: boolean, output: string }>} ok is false also where the tool does not exist
 * @throws the error with which everything ends, as throwIfEnding does
 */
export async function run(command, args, { cwd, env, log, echo } = {}) {
  throwIfEnding();
  const chunks = [];
  const ok = await new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let killer;
    const stop = () => {
      signalGroup(child.pid, 'SIGINT');
      killer ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS);
    };
    running.add(stop);
    const receive = (chunk) => {
      chunks.push(chunk);
      if (!echo) return;
      for (const line of chunk.toString().split('\n'))
        if (echo.test(line)) console.log(`        ${line.trim()}`);
    };
    child.stdout.on('data', receive);
    child.stderr.on('data', receive);
    const finish = (success, text = '') => {
      clearTimeout(killer);
      running.delete(stop);
      chunks.push(Buffer.from(text));
      resolve(success);
    };
    child.on('error', (error) => finish(false, error.message));
    child.on('close', (status) => finish(status === 0));
  });
  const output = Buffer.concat(chunks).toString();
  if (log) {
    fs.mkdirSync(path.dirname(log), { recursive: true });
    fs.appendFileSync(log, `\n$ ${[command, ...args].join(' ')}\n${output}`);
  }
  throwIfEnding();
  return { ok, output };
}

/** Like run, for a tool that has to succeed: its failure becomes the line that says what to do. */
export async function mustRun(command, args, { what, log, ...options }) {
  const { ok, output } = await run(command, args, { log, ...options });
  if (!ok) throw new SetupFailure(failureLine(what, output, log));
}

export function failureLine(what, output, log) {
  const details = `Details: ${path.relative(process.cwd(), log)}.`;
  const advice = adviceFor(output);
  if (advice) return `${what} failed: ${advice}, then run the same command again. ${details}`;
  const lines = output.split('\n').filter((line) => line.trim());
  const telling = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no output';
  return `${what} failed: ${telling.trim().slice(0, 300)}. ${details}`;
}

/** What a tool prints, or null where it does not exist or fails. */
export async function ask(command, args, options) {
  const { ok, output } = await run(command, args, options);
  return ok ? output.trim() : null;
}

/**
 * Gives the terminal to a program until it ends. Ctrl-C is the program's own business (JupyterLab asks back);
 * a kill of this process is passed on.
 *
 * @returns {Promise<number>} its exit code, as a shell would report it
 */
export function runInForeground(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    process.removeAllListeners('SIGINT').on('SIGINT', () => {});
    for (const signal of ['SIGTERM', 'SIGHUP'])
      process.removeAllListeners(signal).on(signal, () => child.kill(signal));
    child.on('error', () => {
      console.error(`[setup] ${command}: no such program in the environment.`);
      resolve(127);
    });
    child.on('close', (status, signal) => resolve(status ?? exitCodeOf(signal)));
  });
}

export const exitCodeOf = (signal) => 128 + os.constants.signals[signal];

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it has just ended by itself
  }
}

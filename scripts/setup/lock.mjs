// One set-up at a time in a clone. The lock is a symbolic link whose target is a process number: made and read in one
// step, so that no other set-up can see a lock that does not yet say whose it is.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMac } from './platform.mjs';
import { throwIfEnding } from './processes.mjs';
import { read, say, stateFolder } from './project.mjs';

const lock = path.join(stateFolder, 'lock');
const POLL_MS = 300;

/** Runs the work when no other set-up of this clone is running any more. */
export async function alone(work) {
  fs.mkdirSync(stateFolder, { recursive: true });
  for (let waiting = false; !take(); waiting = true) {
    const owner = ownerOfLock();
    if (owner === null) continue;
    if (!isSetup(owner)) fs.rmSync(lock, { force: true });
    else {
      if (!waiting) say(`waiting for another set-up of this clone (process ${owner})`);
      await sleep(POLL_MS);
      throwIfEnding();
    }
  }
  try {
    return await work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function take() {
  try {
    fs.symlinkSync(String(process.pid), lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOfLock() {
  try {
    return fs.readlinkSync(lock);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

// The number of a set-up that was killed may belong to another program by now.
const isSetup = (pid) => pid !== String(process.pid) && commandOf(pid).includes('setup.mjs');

const commandOf = (pid) =>
  isMac()
    ? (spawnSync('ps', ['-o', 'command=', '-p', pid], { encoding: 'utf8' }).stdout ?? '')
    : (read(`/proc/${pid}/cmdline`) ?? '');

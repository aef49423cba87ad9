// The site of this clone, as npm run site writes it, and a browser: made when they are first asked for, once in a process.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { findChromium, launch, launchKeeping, NO_CHROMIUM, openPage } from '../../browser/chromium.mjs';
import { root } from '../../setup/project.mjs';

const executable = findChromium();
export const skip = executable ? false : NO_CHROMIUM;

export const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'site-'));
export const site = path.join(scratch, 'site');
const browsers = [];
after(async () => {
  for (const browser of browsers) await browser.close();
  fs.rmSync(scratch, { recursive: true, force: true });
});

/** Runs npm run site's script in a clone. */
export function build(clone, ...options) {
  const script = path.join(clone, 'scripts/site/build.py');
  const { status, stdout, stderr, error } = spawnSync('python', [script, ...options], { encoding: 'utf8' });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Afterwards the whole site is in the folder `site`. */
export function buildOnce() {
  if (fs.existsSync(site)) return;
  const { status, stderr } = build(root, '--out', site);
  assert.equal(status, 0, stderr);
}

/** A browser, which is closed when the tests have ended. */
export async function startBrowser() {
  const browser = await launch(executable);
  browsers.push(browser);
  return browser;
}

/** A page of a browser that keeps what it has loaded and compiled, as `openPage` gives one. */
export async function startPage(options) {
  const context = await launchKeeping(executable, path.join(scratch, 'profile'), options);
  browsers.push(context);
  return openPage(context);
}

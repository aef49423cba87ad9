// A headless Chromium, and pages that write down what goes wrong in them.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]; // prettier-ignore
const LOCAL = /^(file:|data:|blob:|about:|(http|ws):\/\/127\.0\.0\.1[:/])/;

export const NO_CHROMIUM =
  'no Chromium: install it (apt-get install chromium), or name it by CHROMIUM=/path/to/it';

/** The browser that CHROMIUM names, or the first one in PATH; undefined where there is none. */
export function findChromium() {
  const folders = process.env.PATH.split(path.delimiter);
  const candidates = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => path.join(folder, name)),
  );
  return process.env.CHROMIUM ?? candidates.find((file) => fs.existsSync(file));
}

export const launch = (executablePath) => chromium.launch({ executablePath, args: FLAGS });

/** Keeps what it has loaded, and what it has compiled, in a folder; options are those of Playwright's newContext. */
export const launchKeeping = (executablePath, folder, options) =>
  chromium.launchPersistentContext(folder, { executablePath, args: FLAGS, ...options });

/** A page, and a list that grows with what goes wrong in it; options are those of Playwright's newContext. */
export async function openPage(browser, options) {
  const page = await browser.newPage(options);
  const problems = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`script error: ${error.message}`));
  page.on('request', (request) => {
    if (!LOCAL.test(request.url())) problems.push(`request to another host: ${request.url()}`);
  });
  page.on('requestfailed', (request) =>
    problems.push(`request failed (${request.failure()?.errorText}): ${request.url()}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.url()}`);
  });
  return { page, problems };
}

// Links and spelling. --help tells the rest.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { anchorsOf, linksIn, readPage } from './pages.mjs';
import { root } from './setup/project.mjs';

const FOLDERS = [
  '.',
  'data',
  'data/published',
  'frameworks',
  'notebooks',
  'notebooks/exercises',
  'notebooks/solutions',
];
const SECONDS = 20; // for a host to answer

const COMMAND = {
  name: 'check-text',
  call: 'node scripts/setup.mjs node scripts/check-text.mjs',
  operands: '[FILE...]',
  about: `
Looks at every Markdown file and notebook for links that lead nowhere, and for words that codespell knows to be
misspelled, or spells the British way.`,
  options: { external: ['', 'also asks other hosts for what is linked there'] },
};

process.chdir(root);
let checks = 0;
let failed = 0;
await runCommand(COMMAND, async ({ external }, named) => {
  const files = named.length > 0 ? named : allPages();
  for (const file of files) report(file, deadLinks(file));
  report('spelling', misspelled(files));
  if (external) report('other hosts', await unreachable(files));
  console.log(`${checks - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
});

function allPages() {
  return FOLDERS.filter((folder) => fs.existsSync(folder)).flatMap((folder) =>
    fs
      .readdirSync(folder)
      .filter((name) => /\.(md|ipynb)$/.test(name))
      .map((name) => path.join(folder, name)),
  );
}

function report(what, problems) {
  checks++;
  console.log(`${problems.length ? 'FAIL' : 'ok  '} ${what}`);
  for (const problem of problems) console.log(`     ${problem}`);
  if (problems.length) failed++;
}

/** Links into the repository whose file or heading does not exist. */
function deadLinks(file) {
  return linksIn(readPage(file).markdown)
    .filter((link) => !/^\w+:/.test(link))
    .flatMap((link) => {
      const [name, anchor] = decodeURI(link).split('#');
      const target = name ? path.join(path.dirname(file), name) : file;
      if (!fs.existsSync(target)) return [`${link}: there is no ${target}`];
      if (anchor === undefined || anchorsOf(target).has(anchor)) return [];
      return [`${link}: ${target} has no heading of that name`];
    });
}

/** The texts as plain files in a folder of their own, since a notebook's file also holds pictures. */
function misspelled(files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'focal-loss-text-'));
  try {
    for (const file of files) {
      const { markdown, code } = readPage(file);
      fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
      fs.writeFileSync(path.join(folder, file), `${markdown}\n${code}\n`);
    }
    const { error, status, stdout, stderr } = spawnSync(
      'codespell',
      ['--builtin=clear,rare,en-GB_to_en-US', '.'],
      { cwd: folder, encoding: 'utf8' },
    );
    if (error) return [`codespell: ${error.message}`];
    const lines = `${stdout}${stderr}`.split('\n').filter(Boolean);
    return status === 0 ? [] : lines;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function unreachable(files) {
  const pages = files.flatMap((file) => linksIn(readPage(file).markdown).map((link) => link.split('#')[0]));
  const links = [...new Set(pages.filter((link) => /^https?:/.test(link)))];
  const problems = await Promise.all(
    links.map(async (link) => {
      try {
        const { status } = await fetch(link, { signal: AbortSignal.timeout(SECONDS * 1000) });
        return status === 404 || status === 410 ? `${link}: ${status}` : null; // others may refuse programs only
      } catch (error) {
        return `${link}: ${error.cause?.message ?? error.message}`;
      }
    }),
  );
  return problems.filter(Boolean);
}

// The notebooks, and what the text of one, or of a Markdown file, consists of.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './setup/project.mjs';

/** Their names within the folder notebooks, in alphabetical order. */
export function allNotebooks() {
  return fs
    .readdirSync(path.join(root, 'notebooks'), { recursive: true })
    .filter((name) => name.endsWith('.ipynb') && !name.includes('.ipynb_checkpoints'))
    .sort();
}

/** @returns {{ markdown: string, code: string }} of a notebook, the sources of its cells; of a Markdown file, all of it */
export function readPage(file) {
  const content = fs.readFileSync(file, 'utf8');
  if (!file.endsWith('.ipynb')) return { markdown: content, code: '' };
  const { cells } = JSON.parse(content);
  const sources = (type) =>
    cells.filter((cell) => cell.cell_type === type).map(({ source }) => [source].flat().join(''));
  return { markdown: sources('markdown').join('\n\n'), code: sources('code').join('\n\n') };
}

/** Targets of links and images, in Markdown or HTML; what stands in code is none. */
export function linksIn(markdown) {
  const prose = markdown.replace(/^( *)(```|~~~)[^]*?^\1\2/gm, '').replace(/(`+)[^`][^]*?\1/g, '');
  const links = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?: +"[^"]*")?\)/g)];
  const tags = [...prose.matchAll(/<(?:a|img)\b[^>]*\b(?:href|src)="([^"]+)"/g)];
  const urls = [...prose.matchAll(/<(https?:[^>\s]+)>/g)];
  return [...links, ...tags, ...urls].map((match) => match[1]);
}

/** What a page links to within the repository, whether it is there or not: paths from its root, as that of the page is. */
export const linkedFrom = (file) =>
  linksIn(readPage(path.join(root, file)).markdown)
    .filter((link) => !/^(\w+:|#)/.test(link))
    .map((link) => path.join(path.dirname(file), decodeURI(link.split('#')[0])));

/** What the part of a link after # may be: GitHub's names of the headings, or JupyterLab's in a notebook; HTML ids. */
export function anchorsOf(file) {
  const { markdown } = readPage(file);
  const prose = markdown.replace(/^( *)(```|~~~)[^]*?^\1\2/gm, '');
  const ids = [...prose.matchAll(/<\w+\b[^>]*\bid="([^"]+)"/g)].map((match) => match[1]);
  const headings = [...prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map((match) => match[1]);
  const names = headings.map((heading) =>
    file.endsWith('.ipynb') ? jupyterName(heading) : githubName(heading),
  );
  const counted = names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before ? `${name}-${before}` : name;
  });
  return new Set([...ids, ...counted]);
}

const jupyterName = (heading) => heading.replaceAll(' ', '-');

const githubName = (heading) =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\p{Mark}_ -]/gu, '')
    .replaceAll(' ', '-');

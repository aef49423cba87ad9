import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cacheFolder } from 'focal-loss-lab/dist/cacheFolder';

describe('cacheFolder', () => {
  const data = mkdtempSync(path.join(tmpdir(), 'data-'));
  const module = path.join(data, 'cacheFolder.js'); // a copy, since another user may not read this clone
  before(() => {
    copyFileSync(path.join(__dirname, '..', 'cacheFolder.js'), module);
    chmodSync(data, 0o555);
  });
  after(() => rmSync(data, { recursive: true }));

  /** As another user where this one is root, who may write everywhere. */
  const ofAnotherUser = (variables: Record<string, string>) => {
    const nobody = process.getuid!() === 0 ? { uid: 65534, gid: 65534 } : {};
    const code = `console.log(require(${JSON.stringify(module)}).cacheFolder(${JSON.stringify(data)}, 'results'))`;
    const env = { PATH: process.env.PATH, ...variables };
    return execFileSync(process.execPath, ['-e', code], {
      ...nobody,
      env,
      cwd: '/',
      encoding: 'utf8',
    }).trim();
  };

  test('is in the clone where the reader may write there, whether it exists or not', () => {
    assert.equal(cacheFolder(tmpdir(), 'results'), path.join(tmpdir(), 'cache', 'results'));
  });
  test('is in the home of a reader whose clone is somebody else’s', () => {
    assert.equal(ofAnotherUser({ HOME: '/home/ada' }), '/home/ada/.cache/focal-loss-lab/results');
  });
  test('is where XDG_CACHE_HOME says, as other programs’ caches are', () => {
    const variables = { HOME: '/home/ada', XDG_CACHE_HOME: '/scratch/ada' };
    assert.equal(ofAnotherUser(variables), '/scratch/ada/focal-loss-lab/results');
  });
});

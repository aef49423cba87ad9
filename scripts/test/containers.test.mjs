// Dockerfile, .binder and .devcontainer, which no test here can run: what they name is there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../setup/project.mjs';

const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');

describe('the containers', () => {
  test('call the one set-up, and npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const name of ['Dockerfile', '.binder/postBuild', '.devcontainer/devcontainer.json']) {
      const text = read(name);
      const called = [...text.matchAll(/\bnode (scripts\/\S+\.mjs)/g)].map(([, file]) => file);
      assert.deepEqual(called, ['scripts/setup.mjs'], name);
    }
    const [, command] = /^CMD (.*)$/m.exec(read('Dockerfile'));
    const [npm, script] = JSON.parse(command);
    assert.ok(npm === 'npm' && script in scripts, command);
  });

  test('have a Node that is new enough, and the Python of environment.yml', () => {
    const { engines } = JSON.parse(read('package.json'));
    const oldest = parseInt(engines.node.replace('>=', ''));
    const [, python] = /- python=([\d.]+)/.exec(read('environment.yml'));
    const binder = read('.binder/environment.yml');
    const codespace = read('.devcontainer/devcontainer.json');
    for (const [, version] of [
      /^FROM node:(\d+)/m.exec(read('Dockerfile')),
      /- nodejs=(\d+)/.exec(binder),
      /features\/node:1": { "version": "(\d+)" }/.exec(codespace),
    ])
      assert.ok(version >= oldest, version);
    assert.ok(binder.includes(`- python=${python}\n`));
    assert.ok(codespace.includes(`/python:${python}-`));
  });

  test('take nothing that git ignores, such as what students have handed in', () => {
    const lines = (name) => read(name).split('\n').filter(Boolean);
    const taken = new Set(lines('.dockerignore').map((line) => line.replace(/^\*\*\//, '')));
    const missing = lines('.gitignore').filter((line) => !taken.has(line.replace(/^\/|\/$/g, '')));
    assert.deepEqual(missing, []);
  });
});

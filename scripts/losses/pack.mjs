// Compiles lib/src/losses into the package lib/losses, as CommonJS and as ES modules, and packs it:
//
//   node scripts/losses/pack.mjs [folder for the .tgz, default: this one]
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../setup/project.mjs';

const folder = path.join(root, 'lib/losses');
const dist = path.join(folder, 'dist');
const tsc = path.join(root, 'node_modules/typescript/bin/tsc'); // npx tsc would be the compiler that tslab brings

fs.rmSync(dist, { recursive: true, force: true });
const formats = ['tsconfig.json', 'tsconfig.esm.json'].map((name) => path.join(folder, name));
execFileSync(process.execPath, [tsc, '-b', '--force', ...formats], { stdio: 'inherit' });
fs.writeFileSync(path.join(dist, 'esm/package.json'), '{ "type": "module" }\n');
fs.copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
const target = process.argv[2] ?? '.';
fs.mkdirSync(target, { recursive: true });
execFileSync('npm', ['pack', folder, '--pack-destination', target, '--loglevel=error'], { stdio: 'inherit' });

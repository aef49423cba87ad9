// node scripts/setup.mjs [COMMAND ARGUMENT...]
// Sets up whatever is missing, then runs the command inside the environment. This file does nothing but tell an old
// Node apart, in syntax and imports that an old Node understands: the set-up itself is setup/main.mjs.
const OLDEST_NODE = [20, 10]; // its test runner runs several files at a time

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(
    `[setup] Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.version}: ` +
      'install a current one (nodejs.org, nvm, or conda env create -f environment.yml) and run the same command again.',
  );
  process.exit(1);
}
import('./setup/main.mjs').then(({ main }) => main(process.argv.slice(2)));

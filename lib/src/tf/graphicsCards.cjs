// What NVIDIA's driver says about the cards, and whether the pinned TensorFlow can use them. Plain JavaScript, because the
// set-up asks as well, before this library is compiled.
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');

/**
 * @typedef {object} Card
 * @property {number} index  as nvidia-smi counts, in the order of the PCI bus
 * @property {string | undefined} uuid
 * @property {string} name
 * @property {number | undefined} computeCapability  undefined where the driver is too old to tell
 * @property {string} driver  version of the driver, '570.86.15'
 * @property {number | undefined} freeMiB  memory that no process has taken
 */

/**
 * What TensorFlow 2.21 and its CUDA 12 libraries need, by compute capability. The GPU wheel has machine code for 6.0, 7.0, 8.0
 * and 8.9 in all its kernels. From 9.0 on the driver compiles PTX 8.5, which it knows since CUDA 12.5 (driver 555); cards of
 * 10 and above it knows since CUDA 12.8 (driver 570).
 */
const DRIVERS = [
  { from: 10, driver: '570' },
  { from: 9, driver: '555' },
  { from: 6, driver: '525.60.13' },
];
const OLDEST = 6;

const PROGRAMS = ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi']; // WSL 2 does not always have it in PATH
const FIELDS = ['index', 'uuid', 'name', 'driver_version', 'memory.free', 'compute_cap']; // drivers before 510 lack the last
const PROC = '/proc/driver/nvidia/version';
const TIMEOUT_MS = 20_000; // a driver that nothing keeps loaded takes seconds to answer

/**
 * The cards that NVIDIA's driver names; none where there is no driver. `problem` is what the driver complains of, if there
 * is one and it does not answer. Containers without nvidia-smi tell no more than the version of the driver.
 *
 * @returns {{ cards: Card[], problem: string | null }}
 */
function askDriver() {
  let problem = null;
  for (const program of PROGRAMS)
    for (const fields of [FIELDS, FIELDS.slice(0, -1)]) {
      const { error, status, stdout, stderr } = spawnSync(
        program,
        [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'],
        { encoding: 'utf8', timeout: TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      if (status === 0) return { cards: parseCards(stdout), problem: null };
      if (error === undefined) problem = `${stdout}${stderr}`.trim().split('\n')[0] || `exit code ${status}`;
    }
  if (problem !== null) return { cards: [], problem };
  const driver = /NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s/.exec(readIfThere(PROC))?.[1];
  if (driver === undefined) return { cards: [], problem: null };
  const unknown = { uuid: undefined, computeCapability: undefined, freeMiB: undefined };
  return { cards: [{ index: 0, name: 'NVIDIA card', driver, ...unknown }], problem: null };
}

/** @param {string} csv  a line per card, the values in the order of FIELDS */
function parseCards(csv) {
  return csv
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [index, uuid, name, driver, free, capability] = line.split(',').map((value) => value.trim());
      return {
        index: Number(index),
        uuid,
        name,
        driver,
        freeMiB: numberOrUndefined(free),
        computeCapability: numberOrUndefined(capability),
      };
    });
}

/** @param {string | undefined} text  '8.0', or '[N/A]' */
function numberOrUndefined(text) {
  const number = Number(text);
  return text && Number.isFinite(number) ? number : undefined;
}

/**
 * Why TensorFlow cannot use a card, as the end of a sentence; null if it can.
 *
 * @param {Card} card
 * @returns {string | null}
 */
function reasonAgainst({ computeCapability, driver }) {
  if (computeCapability !== undefined && computeCapability < OLDEST)
    return `its compute capability is ${computeCapability.toFixed(1)}, and this TensorFlow needs ${OLDEST}.0 or more`;
  const needed = DRIVERS.find(({ from }) => (computeCapability ?? OLDEST) >= from)?.driver ?? '';
  if (!isOlder(driver, needed)) return null;
  const card =
    computeCapability === undefined
      ? 'this TensorFlow'
      : `a card of compute capability ${computeCapability.toFixed(1)}`;
  return `its driver is ${driver}, and ${card} needs ${needed} or newer`;
}

/**
 * @param {string} version
 * @param {string} than
 */
function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) < b[i];
  return false;
}

/**
 * The cards that CUDA shows to a process, in its order: numbers or the beginnings of UUIDs, up to the first that is none.
 *
 * @param {Card[]} cards
 * @param {string | undefined} names  CUDA_VISIBLE_DEVICES; undefined: all
 */
function visibleCards(cards, names) {
  if (names === undefined) return cards;
  /** @type {Card[]} */
  const visible = [];
  for (const name of names.split(',').map((text) => text.trim())) {
    const card = /^\d+$/.test(name)
      ? cards.find(({ index }) => index === Number(name))
      : cards.find(({ uuid }) => name !== '' && uuid?.startsWith(name));
    if (card === undefined) break;
    visible.push(card);
  }
  return visible;
}

/** @param {Card} card */
function describeCard({ name, computeCapability, driver }) {
  const capability =
    computeCapability === undefined ? '' : `compute capability ${computeCapability.toFixed(1)}, `;
  return `${name} (${capability}driver ${driver})`;
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

module.exports = { askDriver, describeCard, reasonAgainst, visibleCards };

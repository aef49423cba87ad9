import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { askDriver, describeCard, reasonAgainst, visibleCards, type Card } from './graphicsCards.cjs';
import { measureGigaflops } from './gigaflops';
import { backend } from './rawOps';
import { installedVariant } from './variant';

export interface DeviceName {
  /** Where operations run. */
  kind: 'CPU' | 'GPU';
  /** Model name of the processor or of the graphics card in use. */
  name: string;
}

export interface Device extends DeviceName {
  /** TF_DEVICE, by which set-up was told which TensorFlow to install; undefined: set-up chose. */
  requested: 'cpu' | 'gpu' | undefined;
  /** Measured speed of a float32 matrix product, in 1e9 operations per second. */
  gigaflops: number;
  /** CPU threads a single operation may use. */
  threads: number;
  /** What is wrong, in a sentence or two, as deviceWarning tells it. Null if nothing is. */
  warning: string | null;
}

/**
 * The device that computes, measured rather than trusted: a matrix product is timed on it (under half a second).
 *
 * @see notebooks/index.ipynb
 */
export function device(): Device {
  const requested = requestedDevice();
  return {
    ...deviceName(),
    requested,
    gigaflops: measureGigaflops(),
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism(),
    warning: deviceWarning(),
  };
}

/** The device that computes, by name only: nothing is measured. */
export function deviceName(): DeviceName {
  return backend.isUsingGpuDevice
    ? { kind: 'GPU', name: cardName(driver().cards) }
    : { kind: 'CPU', name: processorName() };
}

/**
 * What is wrong with the choice of the device: a GPU was asked for, or is present, and is not used, for the reason that is
 * named; or several are visible, of which tfjs-node can use but one. Null if nothing is.
 */
export function deviceWarning(): string | null {
  const requested = requestedDevice();
  if (backend.isUsingGpuDevice) return severalCards(driver().cards);
  if (requested === 'cpu') return null;
  const why = reasonForCpu({
    ...driver(),
    requested,
    variant: installedVariant(),
    visible: process.env.CUDA_VISIBLE_DEVICES,
  });
  return why === null ? null : `Everything runs on the CPU: ${why}`;
}

let answer: ReturnType<typeof askDriver> | undefined;

/** Asked once, for it may take seconds. */
const driver = () => (answer ??= askDriver());

function cardName(cards: Card[]): string {
  const { CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER } = process.env;
  const names = visibleCards(cards, CUDA_VISIBLE_DEVICES).map(({ name }) => name);
  if (names.length === 0) return 'unknown GPU';
  return CUDA_DEVICE_ORDER === 'PCI_BUS_ID' ? names[0] : [...new Set(names)].join(' or ');
}

function severalCards(cards: Card[]): string | null {
  const { length } = visibleCards(cards, process.env.CUDA_VISIBLE_DEVICES);
  return length > 1
    ? `CUDA_VISIBLE_DEVICES shows ${length} cards, and tfjs-node can use but one: it sends tensors to the last, and TensorFlow computes on the first. Name one, or leave the variable out.`
    : null;
}

/** What keeps TensorFlow from computing on a card, and what to do; null where there is no card and none was asked for. */
export function reasonForCpu({
  cards,
  problem,
  requested,
  variant,
  visible,
}: ReturnType<typeof askDriver> & {
  requested: 'gpu' | undefined;
  variant: 'cpu' | 'gpu';
  /** CUDA_VISIBLE_DEVICES */
  visible: string | undefined;
}): string | null {
  if (cards.length === 0) {
    const asked = requested === 'gpu' ? 'TF_DEVICE=gpu asks for a GPU, but no' : 'no';
    if (problem !== null && (requested === 'gpu' || variant === 'gpu'))
      return `${asked} NVIDIA driver answers; nvidia-smi says: ${problem}`;
    return requested === 'gpu' ? `${asked} NVIDIA driver answers.` : null;
  }
  const usable = cards.filter((card) => reasonAgainst(card) === null);
  if (usable.length === 0) {
    const [card] = cards;
    const remedy = /driver/.test(reasonAgainst(card) ?? '') ? ' Update the driver, and set up again.' : '';
    return `${describeCard(card)} is present, but ${reasonAgainst(card)}.${remedy}`;
  }
  const card = describeCard(usable[0]);
  if (variant === 'cpu')
    return `${card} is present, but TensorFlow is installed in its CPU variant. Set up again: TF_DEVICE=gpu npm start`;
  if (visibleCards(usable, visible).length === 0)
    return `${card} is present, but CUDA_VISIBLE_DEVICES is '${visible}', which hides it.`;
  return `${card} is present, and so is TensorFlow's GPU variant, but it does not use the card. With TF_CPP_MIN_LOG_LEVEL=0 it says why.`;
}

function requestedDevice(): Device['requested'] {
  const value = process.env.TF_DEVICE?.toLowerCase();
  if (value === undefined || value === '') return undefined;
  if (value === 'cpu' || value === 'gpu') return value;
  throw new Error(`device: the environment variable TF_DEVICE is '${value}'; expected 'cpu' or 'gpu'`);
}

/** From /proc, which also names the processors of arm64 boards; elsewhere from Node. */
function processorName(): string {
  const unknown = `unknown ${process.arch} processor`;
  try {
    const name = /^(?:model name|Model)\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return name?.[1].trim() ?? unknown;
  } catch {
    return cpus()[0]?.model.trim() || unknown;
  }
}

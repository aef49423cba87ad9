import { SetupFailure } from './failure.mjs';
// The library's own judgment of a card, so that both say the same.
import { askDriver, describeCard, reasonAgainst } from '../../lib/src/tf/graphicsCards.cjs';

/**
 * Which TensorFlow fits this machine, and why: the GPU variant where there is an NVIDIA card that it can use; TF_DEVICE
 * decides where it is set. A GPU variant that is installed stays: it computes on the CPU as well, and a driver may come back.
 *
 * @param installed  the variant that is there; null: none
 * @returns {{ device: 'cpu' | 'gpu', reason: string, warning?: string }}
 */
export function chooseDevice(installed) {
  const forced = process.env.TF_DEVICE || null;
  if (forced && forced !== 'cpu' && forced !== 'gpu')
    throw new SetupFailure(
      `TF_DEVICE is '${forced}': set it to cpu or gpu, or leave it out and an NVIDIA driver is looked for.`,
    );
  const onlyCpu = platformWithoutGpu();
  if (onlyCpu) {
    if (forced === 'gpu')
      throw new SetupFailure(
        `TF_DEVICE is gpu, but TensorFlow has no GPU package for ${onlyCpu}: leave TF_DEVICE out.`,
      );
    return { device: 'cpu', reason: `the only package for ${onlyCpu}` };
  }
  if (forced === 'cpu') return { device: 'cpu', reason: 'TF_DEVICE says so' };

  const { card, obstacle } = findCard();
  if (card) {
    const found = `${describeCard(card)} is found`;
    return {
      device: 'gpu',
      reason: forced ? 'TF_DEVICE says so' : `${found}; TF_DEVICE=cpu chooses the other`,
    };
  }
  if (forced)
    return {
      device: 'gpu',
      reason: 'TF_DEVICE says so',
      warning: `TF_DEVICE is gpu, but ${obstacle}: everything will be computed on the CPU`,
    };
  if (installed === 'gpu')
    return {
      device: 'gpu',
      reason: `it is installed, and computes on the CPU: ${obstacle}; TF_DEVICE=cpu replaces it`,
    };
  return { device: 'cpu', reason: `${obstacle}; TF_DEVICE=gpu chooses the other` };
}

function platformWithoutGpu() {
  if (process.platform === 'darwin') return 'macOS';
  return process.arch === 'arm64' ? 'arm64' : null;
}

/** The first card that TensorFlow can use, or what is in the way. */
function findCard() {
  const { cards, problem } = askDriver();
  const card = cards.find((each) => reasonAgainst(each) === null);
  if (card) return { card };
  if (cards.length > 0)
    return { obstacle: `${describeCard(cards[0])} cannot be used: ${reasonAgainst(cards[0])}` };
  return {
    obstacle: problem === null ? 'no NVIDIA driver is found' : `no NVIDIA driver answers (${problem})`,
  };
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deviceWarning } from 'focal-loss-lab';
import { CARDS, onMachine, TWO_CARDS, type PretendMachine } from './pretendMachine';

/** What is said on a machine whose TensorFlow computes on the CPU, as that of these tests does. */
const warning = (machine: PretendMachine) =>
  onMachine<string | null>(
    { ...machine, env: { CUDA_VISIBLE_DEVICES: '-1', ...machine.env } },
    `require('./device').deviceWarning()`,
  );

/** By the driver's version and the compute capability; null: TensorFlow can use it. */
const verdict = (cards: string, knowsNoCapability = false) =>
  onMachine<(string | null)[]>(
    { cards, knowsNoCapability },
    `(({ askDriver, reasonAgainst }) => askDriver().cards.map(reasonAgainst))(require('./graphicsCards.cjs'))`,
  );

describe('a card and its driver', () => {
  test('P100, V100, T4, H100 and RTX 5090 with a new enough driver can be used', () => {
    for (const name of ['P100', 'V100', 'T4', 'H100', 'RTX5090'] as const)
      assert.deepEqual(verdict(CARDS[name]), [null], name);
  });

  test('with a driver too old for the card, the reason names both versions', () => {
    assert.match(`${verdict(CARDS.H100oldDriver)}`, /driver is 535\.104\.05, .* 9\.0 needs 555 or newer/);
    assert.match(`${verdict(CARDS.RTX5090oldDriver)}`, /driver is 565\.57\.01, .* 12\.0 needs 570 or newer/);
    assert.match(`${verdict(CARDS.T4.replace('525.60.13', '525.60.11'))}`, /needs 525\.60\.13 or newer/);
  });

  test('a card older than any code in TensorFlow is refused by its compute capability', () => {
    assert.match(`${verdict(CARDS.GTX980)}`, /compute capability is 5\.2, and this TensorFlow needs 6\.0/);
  });

  test('a driver that does not even know compute_cap is judged by its version', () => {
    const old = CARDS.V100.replace('535.54.03', '470.57.02');
    assert.match(`${verdict(old, true)}`, /driver is 470\.57\.02, and this TensorFlow needs 525\.60\.13/);
  });
});

describe('why a GPU is not used', () => {
  test('the CPU variant is installed', () => {
    assert.match(
      warning({ cards: CARDS.T4, variant: 'cpu' }) ?? '',
      /^Everything runs on the CPU: Tesla T4 \(compute capability 7\.5, driver 525\.60\.13\) is present, but .*CPU variant\. Set up again: TF_DEVICE=gpu npm start$/,
    );
  });

  test('the driver is too old', () => {
    for (const variant of ['cpu', 'gpu'] as const)
      assert.match(
        warning({ cards: CARDS.H100oldDriver, variant }) ?? '',
        /needs 555 or newer\. Update the driver/,
      );
  });

  test('the card is too old, and no driver would help', () => {
    const text = warning({ cards: CARDS.GTX980 }) ?? '';
    assert.match(text, /GTX 980 .* is present, but its compute capability is 5\.2/);
    assert.doesNotMatch(text, /Update the driver/);
  });

  test('CUDA_VISIBLE_DEVICES hides it', () => {
    for (const CUDA_VISIBLE_DEVICES of ['', '-1', '7'])
      assert.match(
        warning({ cards: CARDS.V100, env: { CUDA_VISIBLE_DEVICES } }) ?? '',
        new RegExp(`V100.* CUDA_VISIBLE_DEVICES is '${CUDA_VISIBLE_DEVICES}', which hides it`),
      );
    assert.match(warning({ cards: TWO_CARDS, env: { CUDA_VISIBLE_DEVICES: '0' } }) ?? '', /hides it/);
  });

  test('it is visible and TensorFlow does not use it all the same: no false reason is given', () => {
    const text = warning({ cards: CARDS.V100, env: { CUDA_VISIBLE_DEVICES: '0' } }) ?? '';
    assert.match(text, /TF_CPP_MIN_LOG_LEVEL=0 it says why/);
    assert.doesNotMatch(text, /CUDA_VISIBLE_DEVICES|Set up again/);
  });

  test('the driver does not answer', () => {
    const problem = 'Failed to initialize NVML: Driver/library version mismatch';
    assert.match(
      warning({ problem }) ?? '',
      /no NVIDIA driver answers; nvidia-smi says: Failed to initialize/,
    );
    assert.equal(warning({ problem, variant: 'cpu' }), null);
    assert.match(
      warning({ variant: 'cpu', env: { TF_DEVICE: 'gpu' } }) ?? '',
      /TF_DEVICE=gpu asks for a GPU/,
    );
  });

  test('no warning where there is no card, or where TF_DEVICE=cpu wants none', () => {
    assert.equal(warning({}), null);
    assert.equal(warning({ cards: CARDS.T4, variant: 'cpu', env: { TF_DEVICE: 'cpu' } }), null);
  });

  test('on this machine it is a sentence or nothing', () => {
    assert.ok(
      deviceWarning() === null || /^Everything runs on the CPU: |^CUDA_VISIBLE/.test(`${deviceWarning()}`),
    );
  });
});

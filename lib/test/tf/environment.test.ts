import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CARDS, TWO_CARDS, variablesAtLoad } from './pretendMachine';

describe('when the addon is loaded, the variables of a GPU are set', () => {
  test('memory as it is needed, no TF32, the same sums in each run, a NaN that stays, one card', () => {
    const seen = variablesAtLoad({ cards: CARDS.T4, env: { XDG_CACHE_HOME: '/caches' } });
    assert.equal(seen.TF_FORCE_GPU_ALLOW_GROWTH, 'true');
    assert.equal(seen.NVIDIA_TF32_OVERRIDE, '0');
    assert.equal(seen.TF_DETERMINISTIC_OPS, '1');
    assert.equal(seen.TF_ENABLE_MAXPOOL_NANPROP, '1');
    assert.equal(seen.CUDA_DEVICE_ORDER, 'PCI_BUS_ID');
    assert.equal(seen.CUDA_VISIBLE_DEVICES, '0');
    assert.equal(seen.TF_JIT_CACHE_DIR, '/caches/focal-loss-lab/gpu-kernels-7.5');
  });

  test('of two cards, the first that can be used is chosen', () => {
    assert.equal(variablesAtLoad({ cards: TWO_CARDS }).CUDA_VISIBLE_DEVICES, '1');
  });

  test('a card that cannot be used is hidden: TensorFlow would fail at its first kernel', () => {
    for (const cards of [CARDS.H100oldDriver, CARDS.GTX980, CARDS.RTX5090oldDriver]) {
      const seen = variablesAtLoad({ cards });
      assert.equal(seen.CUDA_VISIBLE_DEVICES, '-1');
      assert.equal(seen.TF_JIT_CACHE_DIR, undefined);
    }
  });

  test('compiled kernels of two architectures do not share a folder, also where the user has chosen the card', () => {
    const pair = `${CARDS.T4}\n1, GPU-gg, NVIDIA RTX A6000, 535.54.03, 48000, 8.6`;
    const folder = (env: Record<string, string>) =>
      variablesAtLoad({ cards: pair, env }).TF_JIT_CACHE_DIR?.split('-').at(-1);
    assert.equal(folder({}), '7.5');
    assert.equal(folder({ CUDA_VISIBLE_DEVICES: '1' }), '8.6');
    assert.equal(folder({ CUDA_VISIBLE_DEVICES: 'GPU-gg' }), '8.6');
    assert.equal(folder({ CUDA_DEVICE_ORDER: 'FASTEST_FIRST' }), undefined); // which is the first is not known
  });

  test('what the user has set stays, also if it is empty', () => {
    const env = {
      TF_FORCE_GPU_ALLOW_GROWTH: 'false',
      NVIDIA_TF32_OVERRIDE: '1',
      TF_DETERMINISTIC_OPS: '0',
      TF_ENABLE_MAXPOOL_NANPROP: '0',
      CUDA_DEVICE_ORDER: 'FASTEST_FIRST',
      CUDA_VISIBLE_DEVICES: '',
      TF_JIT_CACHE_DIR: '/mine',
      TF_ENABLE_ONEDNN_OPTS: '0',
    };
    const seen = variablesAtLoad({ cards: CARDS.T4, env });
    for (const [name, value] of Object.entries(env)) assert.equal(seen[name], value, name);
  });

  test('without a driver no card is named, so that one which CUDA finds is used', () => {
    const seen = variablesAtLoad({});
    assert.equal(seen.CUDA_VISIBLE_DEVICES, undefined);
    assert.equal(seen.NVIDIA_TF32_OVERRIDE, '0');
  });

  test('in the CPU variant none of them is, and oneDNN is on', () => {
    const seen = variablesAtLoad({ cards: CARDS.T4, variant: 'cpu' });
    const ours = Object.keys(seen).filter((name) => /^(TF_|CUDA_|NVIDIA_)/.test(name));
    assert.deepEqual(ours.sort(), ['TF_CPP_MIN_LOG_LEVEL', 'TF_ENABLE_ONEDNN_OPTS']);
  });
});

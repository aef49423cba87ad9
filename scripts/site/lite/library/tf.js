// In place of lib/src/tf, with what it exports.
import { version as libraryVersion } from '../../../../lib/package.json';
import { measureGigaflops } from '../../../../lib/src/tf/gigaflops.ts';
import * as tf from './tensorflow.js';

export { tf };

/** As in lib/src/tf/graph, which makes one function of TensorFlow of f; here its operations run one by one. */
export function compile(f) {
  if (typeof f !== 'function') throw new TypeError(`compile: f must be a function, got ${typeof f}`);
  return Object.assign((...inputs) => tf.tidy(() => f(...inputs)), { dispose: () => undefined });
}

export const deviceName = () => ({ kind: 'CPU', name: "this browser's JavaScript" });
export const deviceWarning = () => null;
export const device = () => ({
  ...deviceName(),
  requested: undefined,
  gigaflops: measureGigaflops(),
  threads: 1,
  warning: deviceWarning(),
});

/* global SUCRASE -- bundle.mjs fills it in */
export const versions = () => ({
  'focal-loss-lab': libraryVersion,
  browser: navigator.userAgent.split(' ').at(-1).replace('/', ' '),
  tfjs: tf.version.tfjs,
  sucrase: SUCRASE,
});

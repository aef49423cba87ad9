// In place of lib/src/tf, with what it exports.
import { leftOut } from './leftOut.js';
import * as tf from './tensorflow.js';

export { tf };

/** As in lib/src/tf/graph, which makes one function of TensorFlow of f; here its operations run one by one. */
export function compile(f) {
  if (typeof f !== 'function') throw new TypeError(`compile: f must be a function, got ${typeof f}`);
  return Object.assign((...inputs) => tf.tidy(() => f(...inputs)), { dispose: () => undefined });
}

export const deviceName = () => ({ kind: 'CPU', name: "this browser's JavaScript" });
export const deviceWarning = () => null;
export const device = leftOut('device');
export const versions = leftOut('versions');

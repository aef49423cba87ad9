// In place of lib/src/tf/rawOps.ts: there is no TensorFlow whose operations could be called by name.
import { leftOut } from './leftOut.js';

export const backend = {};
export const attribute = new Proxy({}, { get: () => leftOut('an operation of native TensorFlow') });
export const rawOp = leftOut('an operation of native TensorFlow');
export const rawOps = rawOp;

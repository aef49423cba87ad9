// The TensorFlow.js of the browser edition: its CPU backend, in the same version. WebGL, WebGPU and WASM have no log1p
// (theirs is log(1 + x)), and round other functions in their own ways.
export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';
import { version_core } from '@tensorflow/tfjs-core';
import { encodePng } from './png.js';
import './sigmoid.js';
import './flush.js';

export const version = { tfjs: version_core };
export const node = { encodePng };

import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

const { fround, exp } = Math;

/**
 * sigma(x) = 1 / (1 + e^-x), each step rounded to float32, as TensorFlow and PyTorch compute it. Then 1 + e^-x is 1 from
 * e^-x = 2^-24 on, which is x = 24 ln 2 = 16.64. tfjs's CPU backend computes in float64 and rounds once: its sigma(x) is
 * 1 from 1 - 2^-25 on, x = 25 ln 2 = 17.33, and the wall of label 1 would be there.
 */
const sigmoid = (x) => fround(1 / fround(1 + fround(exp(-x))));

const own = getKernel('Sigmoid', 'cpu');
unregisterKernel('Sigmoid', 'cpu'); // registering over it would print a warning
registerKernel({
  ...own,
  kernelFunc(call) {
    const { x } = call.inputs;
    if (x.dtype !== 'float32') return own.kernelFunc(call);
    const values = call.backend.data.get(x.dataId).values;
    return call.backend.makeTensorInfo(x.shape, 'float32', Float32Array.from(values, sigmoid));
  },
});

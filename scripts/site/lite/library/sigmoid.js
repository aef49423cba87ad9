import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

const WALL = 24 * Math.LN2;

/**
 * sigma(x) = 1 / (1 + e^-x) as TensorFlow's CPU kernel has it in float32: rounded once where it is close to 1, and cut to 1
 * from x = 24 ln 2 = 16.64 on, where 1 - 2^-24 would be next. tfjs's CPU backend rounds everywhere, so that its sigma(x)
 * becomes 1 at 1 - 2^-25 only: the wall of label 1 would be at 25 ln 2 = 17.33. (Beyond x = 10 this is TensorFlow's value to
 * the last bit; elsewhere TensorFlow is off by up to 7 units of the last digit.)
 */
const sigmoid = (x) => (x >= WALL ? 1 : 1 / (1 + Math.exp(-x)));

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

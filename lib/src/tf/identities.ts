// tfjs reshapes and casts a lot where nothing is to be done: every mean casts to float32 what is float32, every layer
// brings its input to the shape that it has. In tfjs-node each is an operation of TensorFlow, and costs as much as the
// addition of two small tensors. Here such a call becomes tfjs's own Identity, which shares the memory.
import { backend } from './rawOps';
import { replaceKernel } from './replace';
import { tf } from './tensorflow';

/** Leaves out the calls of a kernel that return their input as it is. */
function leaveOutIdentities(
  kernelName: 'Reshape' | 'Cast',
  isIdentity: (x: tf.TensorInfo, attributes: { shape: number[]; dtype: string }) => boolean,
): void {
  replaceKernel(kernelName, ({ x }, attributes) => {
    if (!isIdentity(x, attributes as { shape: number[]; dtype: string })) return null;
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  });
}

leaveOutIdentities('Reshape', (x, { shape }) => tf.util.arraysEqual(x.shape, shape));
// float32 only: tfjs-node calls the bytes of a decoded image int32, and to cast them to int32 is work.
leaveOutIdentities('Cast', (x, { dtype }) => x.dtype === 'float32' && dtype === 'float32');

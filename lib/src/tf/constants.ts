// On a GPU every number that JavaScript sends is a copy to the card, for which the process waits; a training step of a
// U-Net sends 144. Most are the same in each step: 0.5, the size of a batch, a learning rate. Those stay on the card.
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { backend } from './rawOps';

/** Of 256 bytes each on the card; what changes with every step fills the room, and is then sent as before. */
const MOST = 4096;

/**
 * A binding in which all float32 tensors with one element of the same value and shape are one tensor of TensorFlow's, which
 * is never deleted. TensorFlow does not write to a tensor that somebody else holds.
 */
export function keepConstants(binding: TFJSBinding): TFJSBinding {
  const kept = new Map<string, number>();
  const ids = new Set<number>();
  const bits = new DataView(new ArrayBuffer(4));

  const createTensor: TFJSBinding['createTensor'] = (shape, dtype, values) => {
    if (dtype !== binding.TF_FLOAT || values.length !== 1) return binding.createTensor(shape, dtype, values);
    bits.setFloat32(0, Number(values[0]));
    const key = `${shape.join()};${bits.getUint32(0)}`; // by its bits: -0 is not 0
    const known = kept.get(key);
    if (known !== undefined) return known;
    const id = binding.createTensor(shape, dtype, values);
    if (kept.size < MOST) {
      kept.set(key, id);
      ids.add(id);
    }
    return id;
  };
  const deleteTensor: TFJSBinding['deleteTensor'] = (id) => {
    if (!ids.has(id)) binding.deleteTensor(id);
  };
  return Object.create(binding, {
    createTensor: { value: createTensor },
    deleteTensor: { value: deleteTensor },
  });
}

if (backend.isUsingGpuDevice) backend.binding = keepConstants(backend.binding);

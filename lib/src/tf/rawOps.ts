import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { tf } from './tensorflow';

// TensorFlow has some 1,300 kernels, of which tfjs uses 150. This is the door to the others: an operation by its
// TensorFlow name, with its attributes and inputs in the order of TensorFlow's op definition
// (https://www.tensorflow.org/api_docs/python/tf/raw_ops). Outputs are ordinary tensors that belong to the enclosing
// tf.tidy. Raw operations are not differentiated: use them where no gradient passes, or inside a gradient.

/** TensorFlow's own backend, which runs raw operations; `isUsingGpuDevice` says where. */
export const backend = tf.backend() as NodeJSKernelBackend;
const { binding } = backend;

export type Attribute = TFEOpAttr;

/** Builders of the attributes of a raw operation, one per kind of value. */
export const attribute = {
  dtype: (name: string, value: 'float32' | 'int32'): Attribute => ({
    name,
    type: binding.TF_ATTR_TYPE,
    value: value === 'float32' ? binding.TF_FLOAT : binding.TF_INT32,
  }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: binding.TF_ATTR_BOOL, value }),
  int: (name: string, value: number | number[]): Attribute => ({ name, type: binding.TF_ATTR_INT, value }),
  text: (name: string, value: string): Attribute => ({ name, type: binding.TF_ATTR_STRING, value }),
  shape: (name: string, value: number[]): Attribute => ({ name, type: binding.TF_ATTR_SHAPE, value }),
};

/** Runs a TensorFlow operation with one output. Throws TensorFlow's message for a wrong name, attribute or input. */
export function rawOp(name: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor {
  return backend.executeSingleOutput(name, attributes, inputs);
}

/** Runs a TensorFlow operation with `outputs` outputs. */
export function rawOps(
  outputs: number,
  name: string,
  attributes: Attribute[],
  inputs: tf.Tensor[],
): tf.Tensor[] {
  return backend.executeMultipleOutputs(name, attributes, inputs, outputs);
}

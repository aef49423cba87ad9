import { getKernelsForBackend, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

const SMALLEST_NORMAL = 2 ** -126;

/** Kernels that move numbers and compute none. */
const MOVES = new Set(
  (
    'BatchToSpaceND BroadcastTo Cast Complex Concat DepthToSpace ExpandDims Fill GatherNd GatherV2 Identity MirrorPad ' +
    'OneHot Pack PadV2 Reshape Reverse ScatterNd Select Slice SpaceToBatchND SplitV StridedSlice StringSplit Tile ' +
    'Transpose Unpack ZerosLike'
  ).split(' '),
);

// TensorFlow's CPU kernels flush what is below the normal numbers to 0; JavaScript keeps it. How small an epsilon may be, and
// where q^gamma becomes 0, depends on it.
for (const kernel of getKernelsForBackend('cpu')) {
  if (MOVES.has(kernel.kernelName)) continue;
  unregisterKernel(kernel.kernelName, 'cpu'); // registering over it would print a warning
  registerKernel({
    ...kernel,
    kernelFunc(call) {
      const results = kernel.kernelFunc(call);
      const inputs = new Set(Object.values(call.inputs ?? {}).map((input) => input?.dataId));
      for (const { dataId, dtype } of [results].flat())
        if (dtype === 'float32' && !inputs.has(dataId)) flush(call.backend.data.get(dataId).values);
      return results;
    },
  });
}

function flush(values) {
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    if (x < SMALLEST_NORMAL && x > -SMALLEST_NORMAL && x !== 0) values[i] = x > 0 ? 0 : -0;
  }
}

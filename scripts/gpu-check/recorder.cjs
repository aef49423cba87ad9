// Notes which of TensorFlow's operations a program runs, with which types, as if it ran on a GPU: the library then takes the
// ways that it takes there. Loaded before the program: node --require ./scripts/gpu-check/recorder.cjs PROGRAM; writes to
// a file of its own in the folder FOCAL_RECORD when the program ends.
const fs = require('node:fs');
const path = require('node:path');

process.env.FOCAL_EAGER ??= '1'; // a compiled step would be a single operation
const { tf } = require('../../lib/dist/tf/tensorflow.js');

const backend = tf.backend();
backend.isUsingGpuDevice = true;
const { binding } = backend;
const TYPE_NAMES = {
  1: 'float32',
  3: 'int32',
  4: 'uint8',
  7: 'string',
  8: 'complex64',
  9: 'int64',
  10: 'bool',
  20: 'resource',
};

/** By operation and types. */
const calls = new Map();
const typesOf = (attributes) =>
  Object.fromEntries(
    attributes
      .filter(({ type }) => type === binding.TF_ATTR_TYPE)
      .map(({ name, value }) => [
        name,
        [value]
          .flat()
          .map((each) => TYPE_NAMES[each] ?? `type ${each}`)
          .join(','),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

let onCall = () => {};

backend.binding = Object.create(binding, {
  executeOp: {
    value(op, attributes, inputs, count) {
      const call = { op, types: typesOf(attributes) };
      const key = JSON.stringify(call);
      if (!calls.has(key)) calls.set(key, call);
      const finish = onCall(key, attributes, inputs);
      const outputs = binding.executeOp(op, attributes, inputs, count);
      finish?.(outputs);
      return outputs;
    },
  },
});

if (process.env.FOCAL_RECORD)
  process.on('exit', () =>
    fs.writeFileSync(
      path.join(process.env.FOCAL_RECORD, `${process.pid}.json`),
      JSON.stringify([...calls.values()]),
    ),
  );

module.exports = {
  binding,
  calls,
  /** @param listener  called before each operation with its key; what it returns is called with the outputs after it */
  listen(listener) {
    onCall = listener;
  },
};

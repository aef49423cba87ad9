// Every operation that losses, models and training use, with every type: recorded once with its inputs and outputs on the
// CPU (argument record), then run again with the same inputs on the device (argument replay).
const fs = require('node:fs');

const { mode, file } = JSON.parse(process.argv.at(-1));
const FLOAT = 1;
const ARRAYS = { 1: Float32Array, 3: Int32Array, 4: Uint8Array, 10: Uint8Array };
const MOST = 2 ** 19; // elements of an input that is kept

/** A random number has no other value to be compared with; a handle is of its process. */
const NOT_ALONE = /^(VarHandleOp|ReadVariableOp|AssignVariableOp|DestroyResourceOp|ResourceApplyMomentum)$/;

if (mode === 'record') record();
else replay();

function record() {
  const { binding, calls, listen } = require('../recorder.cjs');
  const kept = new Map();
  const shapes = new Map(); // of tensors by id: the binding does not tell
  const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);
  const { tf } = require('focal-loss-lab');
  const backend = tf.backend();
  const outer = backend.binding;
  backend.binding = Object.create(outer, {
    createTensor: {
      value(shape, dtype, values) {
        const id = outer.createTensor(shape, dtype, values);
        shapes.set(id, { shape, dtype });
        return id;
      },
    },
  });
  listen((key, attributes, inputs) => {
    const { op } = calls.get(key);
    const known = inputs.map((id) => shapes.get(id));
    const elements = known.reduce((sum, one) => sum + (one ? sizeOf(one.shape) : Infinity), 0);
    const fits = !NOT_ALONE.test(op) && elements <= MOST && known.every((one) => one.dtype in ARRAYS);
    const wanted = fits && (!kept.has(key) || elements < kept.get(key).elements) && known.every(({ shape }) => sizeOf(shape) > 0); // prettier-ignore
    const values =
      wanted &&
      inputs.map((id, i) => ({ ...known[i], values: Array.from(binding.tensorDataSync(id), String) }));
    return (outputs) => {
      for (const { id, shape, dtype } of outputs) shapes.set(id, { shape, dtype });
      if (!wanted || outputs.some(({ dtype }) => !(dtype in ARRAYS))) return;
      const results = outputs.map(({ id, dtype }) => ({
        dtype,
        values: Array.from(binding.tensorDataSync(id), String),
      }));
      kept.set(key, {
        elements,
        op,
        types: calls.get(key).types,
        attributes,
        inputs: values,
        outputs: results,
      });
    };
  });
  const { everything } = require('../programme.cjs');
  everything().then(() => {
    fs.writeFileSync(file, JSON.stringify([...kept.values()]));
    const alone = [...calls].filter(([key]) => !kept.has(key)).map(([, { op }]) => op);
    process.stdout.write(
      `${JSON.stringify({ recorded: calls.size, kept: kept.size, notAlone: [...new Set(alone)] })}\n`,
    );
  });
}

function replay() {
  const { tf } = require('focal-loss-lab');
  const { binding } = tf.backend();
  const results = JSON.parse(fs.readFileSync(file, 'utf8')).map(
    ({ op, types, attributes, inputs, outputs }) => {
      try {
        const ids = inputs.map(({ shape, dtype, values }) =>
          binding.createTensor(shape, dtype, ARRAYS[dtype].from(values, Number)),
        );
        const found = binding.executeOp(op, attributes, ids, outputs.length);
        const errors = found.map(({ id }, i) =>
          difference(Array.from(binding.tensorDataSync(id)), outputs[i]),
        );
        for (const id of [...ids, ...found.map((output) => output.id)]) binding.deleteTensor(id);
        return { op, types, ulps: Math.max(...errors.map(({ ulps }) => ulps)), relative: Math.max(...errors.map(({ relative }) => relative)) }; // prettier-ignore
      } catch (error) {
        return { op, types, refused: error.message.split('\n')[0] };
      }
    },
  );
  process.stdout.write(`${JSON.stringify(results)}\n`);
}

/** In units in the last place of each value, and relative to the largest. NaN and Infinity have to be the same. */
function difference(found, { dtype, values }) {
  let [ulps, largest, worst] = [0, 0, 0];
  for (const [i, text] of values.entries()) {
    const expected = Number(text);
    if (Object.is(found[i], expected) || found[i] === expected) {
      if (Number.isFinite(expected)) largest = Math.max(largest, Math.abs(expected));
      continue;
    }
    const error = Math.abs(found[i] - expected);
    if (!Number.isFinite(error) || dtype !== FLOAT) return { ulps: 1e9, relative: 1e9 };
    worst = Math.max(worst, error);
    largest = Math.max(largest, Math.abs(expected));
    const exponent = Math.max(Math.floor(Math.log2(Math.abs(expected))), -126);
    ulps = Math.max(ulps, error / 2 ** (exponent - 23));
  }
  return { ulps, relative: largest > 0 ? worst / largest : worst };
}

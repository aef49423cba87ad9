import { backend } from '../rawOps';
import { tf } from '../tensorflow';
import { isRecording, NotRecordable, record, type Recording } from './record';

/** A pure function of tensors. */
export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

export interface CompileOptions {
  /**
   * Called with the reason if f cannot be compiled, at most once. f then stays as it is, operation by operation. Without
   * it that is an error.
   */
  onEager?: (reason: string) => void;
  /** Leaves f as it is, operation by operation: to look inside. Default false, or true with FOCAL_EAGER=1. */
  eager?: boolean;
}

/** A compiled function. Call it like f; dispose it when it is no longer needed. */
export type Compiled<F extends TensorFunction> = ((...inputs: tf.Tensor[]) => ReturnType<F>) & {
  /** Frees the functions that TensorFlow holds. */
  dispose(): void;
};

/** Signatures for which a function keeps a graph; the one unused for longest gives way. */
const MOST_SIGNATURES = 8;

/** What is known about one signature: after the first call a recording, after the second the function's name. */
interface Entry {
  isList: boolean;
  outputs: number;
  first?: Recording;
  name?: string;
}

/**
 * Compiles a function of tensors. TensorFlow.js sends its operations to TensorFlow one by one; compiled, they are one
 * function of TensorFlow, and one call. The results are the same to the last bit. Python calls this tf.function.
 *
 *     const slope = compile((x, w) => tf.grad((v) => tf.mean(tf.square(tf.matMul(x, v))))(w));
 *     for (const x of batches) tf.tidy(() => slope(x, w).print());
 *     slope.dispose();
 *
 * The first two calls with inputs of the same shapes and dtypes run f as usual and record it. If both recordings are equal,
 * the graph runs from the third call on, and f is no longer called. So f must be pure: what JavaScript decides in it (a
 * counter, a random number, a branch) stays as it was at the recording. What can be recognized is refused: recordings that
 * differ, values read in the middle, tensors of strings, and tensors from outside. A tensor from outside may be used if it is
 * also an argument, or a scalar, which becomes a constant. Values may be read in `tf.tidy('check', ...)`, for a check that
 * decides nothing but whether to throw. The graph does not repeat it.
 *
 * TensorFlow's graph optimizers are off, since they reorder arithmetic. The graphs of the last 8 signatures are kept.
 *
 * @param f  from tensors to a tensor or a list of tensors; not async
 * @returns the compiled function. Its results belong to the enclosing tf.tidy, or the caller. It cannot be
 *   differentiated: compile the function that computes the gradient.
 * @throws TypeError if f is not a function, or an argument or a result not a tensor; Error with the reason if f cannot be
 *   compiled, and with TensorFlow's message, which names the operation, if the graph fails
 * @see notebooks/appendix-many-models.ipynb
 */
export function compile<F extends TensorFunction>(
  f: F,
  { onEager, eager: stayEager = process.env.FOCAL_EAGER === '1' }: CompileOptions = {},
): Compiled<F> {
  if (typeof f !== 'function') throw new TypeError(`compile: f must be a function, got ${typeof f}`);
  const entries = new Map<string, Entry>();
  let eager = stayEager;

  function call(...inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    checkInputs(inputs);
    if (eager || isRecording()) return tf.tidy(() => ownResults(f(...inputs), inputs));
    if (tf.engine().isTapeOn())
      throw new Error(
        'compile: a compiled function cannot be differentiated; compile the function that computes the gradient',
      );
    const key = signature(inputs);
    const entry = entries.get(key);
    if (entry?.name === undefined) return recordCall(key, inputs, entry);
    entries.delete(key);
    entries.set(key, entry); // now the last one used
    const results = backend.executeMultipleOutputs(entry.name, CALL_ATTRIBUTES, inputs, entry.outputs);
    return entry.isList ? results : results[0];
  }

  function recordCall(key: string, inputs: tf.Tensor[], before: Entry | undefined) {
    let isList = true;
    let recording!: Recording | NotRecordable;
    const results = tf.tidy(() => {
      const recorded = record(() => {
        const result: unknown = f(...inputs);
        isList = Array.isArray(result);
        return ownResults(checkResults(isList ? result : [result]), inputs);
      }, inputs);
      recording = recorded.recording;
      return recorded.results;
    });
    try {
      if (recording instanceof NotRecordable) throw recording;
      if (before === undefined) {
        entries.set(key, { isList, outputs: results.length, first: recording });
        if (entries.size > MOST_SIGNATURES) remove(entries.keys().next().value as string);
      } else {
        requireSame(before.first as Recording, recording);
        before.name = addFunction(recording);
        before.first = undefined;
      }
    } catch (error) {
      refuse((error as Error).message, results);
    }
    return isList ? results : results[0];
  }

  function refuse(reason: string, results: tf.Tensor[]): void {
    if (onEager === undefined) {
      tf.dispose(results);
      throw new Error(`compile: f cannot be compiled: ${reason}`);
    }
    eager = true;
    dispose();
    onEager(reason);
  }

  function remove(key: string): void {
    const name = entries.get(key)?.name;
    entries.delete(key);
    if (name !== undefined) addon.removeFunction(name);
  }

  function dispose(): void {
    for (const key of [...entries.keys()]) remove(key);
  }

  return Object.assign(call, { dispose }) as Compiled<F>;
}

function checkInputs(inputs: unknown[]): void {
  const wrong = inputs.findIndex((input) => !(input instanceof tf.Tensor));
  if (wrong >= 0)
    throw new TypeError(`compile: argument ${wrong} must be a tensor, got ${typeof inputs[wrong]}`);
}

function checkResults(results: unknown): tf.Tensor[] {
  const list = results as unknown[];
  const wrong = list.find((result) => !(result instanceof tf.Tensor));
  if (wrong !== undefined || list.length === 0)
    throw new TypeError(
      `compile: f must return a tensor or a list of tensors, got ${wrong instanceof Promise ? 'a promise' : typeof wrong}`,
    );
  return list as tf.Tensor[];
}

/** An argument that f returns becomes a tensor of its own, as from the graph: the caller may dispose it. */
function ownResults<T extends tf.Tensor | tf.Tensor[]>(results: T, inputs: tf.Tensor[]): T {
  const own = (result: tf.Tensor) => (inputs.includes(result) ? result.clone() : result);
  return (Array.isArray(results) ? results.map(own) : own(results)) as T;
}

/** Shapes and dtypes, and which arguments are the same tensor: a graph knows one of them only. */
function signature(inputs: tf.Tensor[]): string {
  const places = new Map<object, number>();
  return inputs
    .map(({ dtype, shape, dataId }, i) => {
      const place = places.get(dataId) ?? i;
      places.set(dataId, place);
      return `${dtype}[${shape.join()}]${place}`;
    })
    .join(' ');
}

/** @throws NotRecordable saying where two recordings of one function part */
function requireSame(first: Recording, second: Recording): void {
  if (Buffer.compare(first.graphDef, second.graphDef) === 0) return;
  const bytes = ({ nodes }: Recording, i: number) => nodes.at(i)?.serializeBinary() ?? new Uint8Array();
  const differs = (_: unknown, i: number) => Buffer.compare(bytes(first, i), bytes(second, i)) !== 0;
  const [longer] = [first, second].sort((a, b) => b.nodes.length - a.nodes.length);
  const node = longer.nodes[longer.nodes.findIndex(differs)];
  throw new NotRecordable(
    `its second call does something else than its first, from operation ${node.getName()} on (a random number, a counter, a branch?)`,
  );
}

interface Addon {
  addFunction(
    name: string,
    graphDef: Uint8Array,
    inputs: string[],
    outputs: string[],
    controls: string[],
  ): void;
  removeFunction(name: string): void;
}

const addon = backend.binding as unknown as Addon; // with functions.cc of the set-up
let functions = 0;

function addFunction({ graphDef, inputs, outputs, controls }: Recording): string {
  const name = `compiled_${functions++}`;
  addon.addFunction(name, graphDef, inputs, outputs, controls);
  return name;
}

// TensorFlow's ConfigProto in its wire format: graph_options (field 10), in it rewrite_options (field 10), in it every optimizer
// of graphs by its field and its value for "off". They reorder arithmetic or fold constants with other kernels, so that results
// would differ in the last bits. All bytes are below 128: as text they pass through the addon unchanged.
const OFF = 2;
const OPTIMIZERS = {
  layout_optimizer: [1, OFF],
  constant_folding: [3, OFF],
  memory_optimization: [4, 1], // NO_MEM_OPT
  arithmetic_optimization: [7, OFF],
  dependency_optimization: [8, OFF],
  loop_optimization: [9, OFF],
  function_optimization: [10, OFF],
  shape_optimization: [13, OFF],
  remapping: [14, OFF],
};
const VARINT = 0;
const MESSAGE = 2;
const message = (field: number, bytes: number[]) => [(field << 3) | MESSAGE, bytes.length, ...bytes];
const rewriteOptions = Object.values(OPTIMIZERS).flatMap(([field, value]) => [(field << 3) | VARINT, value]);
const CONFIG = String.fromCharCode(...message(10, message(10, rewriteOptions)));

const CALL_ATTRIBUTES = [
  { name: 'executor_type', type: backend.binding.TF_ATTR_STRING, value: '' },
  { name: 'config_proto', type: backend.binding.TF_ATTR_STRING, value: CONFIG },
];

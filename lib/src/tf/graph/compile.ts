import { backend } from '../rawOps';
import { tf } from '../tensorflow';
import { dtypeOf, isRecording, NotRecordable, record, type Recording } from './record';

/** A pure function of tensors. */
export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

export interface CompileOptions {
  /**
   * Called with the reason if f cannot be compiled, at most once. f then runs eagerly, operation by operation. Without this
   * option it is an error.
   */
  onEager?: (reason: string) => void;
  /** Runs f eagerly, operation by operation, for debugging. Default false, or true with FOCAL_EAGER=1. */
  eager?: boolean;
}

/** A compiled function. Call it like f, with the tensors that f uses from outside after f's own arguments. */
export type Compiled<F extends TensorFunction> = ((
  ...inputs: [...Parameters<F>, ...tf.Tensor[]]
) => ReturnType<F>) & {
  /** Frees the functions that TensorFlow holds. A later call is an error. */
  dispose(): void;
};

/** A function keeps the graphs of so many signatures; the one that has not been used for longest goes first. */
const MOST_SIGNATURES = 8;

/** What is known about one signature: after the first call a recording, after the second the name of the function. */
type Entry = Recorded | { isList: boolean; name: string; outputs: number };
interface Recorded {
  isList: boolean;
  recording: Recording;
}

/**
 * Compiles a function of tensors. TensorFlow.js sends its operations to TensorFlow one by one; compiled, they are one
 * function of TensorFlow, and one call. Python calls this tf.function.
 *
 *     const slope = compile((x, w) => tf.grad((v) => tf.mean(tf.square(tf.matMul(x, v))))(w));
 *     for (const x of batches) tf.tidy(() => slope(x, w).print());
 *     slope.dispose();
 *
 * The results are the same to the last bit, as far as a graph runs the kernels that eager TensorFlow runs. TensorFlow's graph
 * optimizers, which reorder arithmetic, are off; nativeGradients.ts replaces the softmax of tfjs, which is the one operation
 * of our networks that differed.
 *
 * The first two calls with inputs of the same shapes and dtypes run f eagerly and record it. If both recordings are equal, the
 * graph runs from the third call on, and f is no longer called. So f must be pure. What JavaScript decides in it (a counter, a
 * random number, a branch) stays as it was at the recording, and what JavaScript does in it (`variable.assign`) is not
 * repeated: return the new values and assign them outside. What can be recognized is refused: recordings that differ, values
 * that f reads, tensors of strings, and tensors from outside. A tensor from outside may be used if the same tensor is also an
 * argument in every call, or if it has one element and is no variable; then it becomes a constant. Values may be read in
 * `tf.tidy('check', ...)`, for a check that decides nothing but whether to throw. The graph does not repeat it.
 *
 * An operation on one of TensorFlow's own variables is allowed if the variable's handle is an argument. The graph keeps the
 * order of the operations on each handle; two handles of one variable must not be arguments of the same call.
 *
 * @param f  from tensors to a tensor or a list of tensors; not async
 * @returns the compiled function. Its results are tensors of their own, which belong to the enclosing tf.tidy, or to the
 *   caller. It cannot be differentiated: compile the function that computes the gradient.
 * @throws TypeError if f is not a function, or an argument or a result not a tensor; Error with the reason if f cannot be
 *   compiled, with TensorFlow's message, which names the operation, if the graph fails, and after dispose()
 * @see notebooks/appendix-many-models.ipynb
 */
export function compile<F extends TensorFunction>(
  f: F,
  { onEager, eager: stayEager = process.env.FOCAL_EAGER === '1' }: CompileOptions = {},
): Compiled<F> {
  if (typeof f !== 'function') throw new TypeError(`compile: f must be a function, got ${typeof f}`);
  const entries = new Map<string, Entry>(); // the one used last is the last
  let eager = stayEager;
  let disposed = false;

  function call(...inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    checkInputs(inputs);
    if (disposed) throw new Error('compile: this function has been disposed');
    if (eager || isRecording()) return tf.tidy(() => runEagerly(inputs).result);
    if (tf.engine().isTapeOn())
      throw new Error(
        'compile: a compiled function cannot be differentiated; compile the function that computes the gradient',
      );
    const key = signature(inputs);
    const entry = entries.get(key);
    if (entry === undefined || 'recording' in entry) return recordCall(key, inputs, entry);
    keep(key, entry);
    const results = backend.executeMultipleOutputs(entry.name, CALL_ATTRIBUTES, inputs, entry.outputs);
    return entry.isList ? results : results[0];
  }

  /** What f returns, as tensors of their own: the caller may dispose each, as it may those from the graph. */
  function runEagerly(inputs: tf.Tensor[]) {
    const firstId = (tf.engine() as unknown as { nextTensorId(): number }).nextTensorId(); // later ones are f's
    const result: unknown = f(...inputs);
    const isList = Array.isArray(result);
    const list = checkResults(isList ? result : [result]).map((each, i, all) =>
      each.id < firstId || all.indexOf(each) < i ? each.clone() : each,
    );
    return { isList, list, result: isList ? list : list[0] };
  }

  function recordCall(key: string, inputs: tf.Tensor[], before: Recorded | undefined) {
    let isList!: boolean;
    let recording!: Recording | NotRecordable;
    const results = tf.tidy(() => {
      const recorded = record(() => {
        const found = runEagerly(inputs);
        isList = found.isList;
        return found.list;
      }, inputs);
      recording = recorded.recording;
      return recorded.results;
    });
    try {
      if (recording instanceof NotRecordable) throw recording;
      remember(key, { before, now: { isList, recording }, outputs: results.length });
    } catch (error) {
      if (!(error instanceof NotRecordable)) throw error;
      refuse(error.message, results);
    }
    return isList ? results : results[0];
  }

  function remember(
    key: string,
    { before, now, outputs }: { before?: Recorded; now: Recorded; outputs: number },
  ): void {
    if (disposed) return; // by f itself
    if (before === undefined) return keep(key, now);
    requireSame(before, now);
    keep(key, { isList: now.isList, name: addFunction(now.recording), outputs });
  }

  function refuse(reason: string, results: tf.Tensor[]): void {
    if (onEager === undefined) {
      tf.dispose(results);
      throw new Error(`compile: f cannot be compiled: ${reason}`);
    }
    eager = true;
    removeAll();
    onEager(reason);
  }

  function keep(key: string, entry: Entry): void {
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > MOST_SIGNATURES) remove(entries.keys().next().value as string);
  }

  function remove(key: string): void {
    const entry = entries.get(key)!;
    entries.delete(key);
    if ('name' in entry) addon.removeFunction(entry.name);
  }

  function removeAll(): void {
    for (const key of [...entries.keys()]) remove(key);
  }

  function dispose(): void {
    disposed = true;
    removeAll();
  }

  return Object.assign(call, { dispose }) as unknown as Compiled<F>;
}

function checkInputs(inputs: unknown[]): void {
  const wrong = inputs.findIndex((input) => !(input instanceof tf.Tensor));
  if (wrong >= 0)
    throw new TypeError(`compile: argument ${wrong} must be a tensor, got ${typeof inputs[wrong]}`);
}

function checkResults(results: unknown[]): tf.Tensor[] {
  const wrong = results.findIndex((result) => !(result instanceof tf.Tensor));
  if (wrong < 0 && results.length > 0) return results as tf.Tensor[];
  const got =
    results.length === 0
      ? 'an empty list'
      : results[wrong] instanceof Promise
        ? 'a promise'
        : typeof results[wrong];
  throw new TypeError(`compile: f must return a tensor or a list of tensors, got ${got}`);
}

/** Shapes, dtypes, and which arguments share their values: the recording cannot tell those apart. */
function signature(inputs: tf.Tensor[]): string {
  const places = new Map<object, number>();
  return inputs
    .map((input, i) => {
      const { shape, dataId } = input;
      const place = places.get(dataId) ?? i;
      places.set(dataId, place);
      return `${dtypeOf(input)}[${shape.join()}]${place}`;
    })
    .join(' ');
}

/** @throws NotRecordable saying where two recordings of one function diverge */
function requireSame(before: Recorded, now: Recorded): void {
  const [first, second] = [before.recording, now.recording];
  if (Buffer.compare(first.graphDef, second.graphDef) === 0) {
    if (before.isList === now.isList && first.outputs.join() === second.outputs.join()) return;
    throw new NotRecordable('its second call returns something else than its first (a counter, a branch?)');
  }
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
  try {
    addon.addFunction(name, graphDef, inputs, outputs, controls);
  } catch (error) {
    if (error instanceof TypeError) throw error; // another addon than ours
    throw new NotRecordable(`TensorFlow does not take its graph: ${(error as Error).message}`);
  }
  return name;
}

// TensorFlow's ConfigProto in its wire format: graph_options (field 10), in it rewrite_options (field 10), in it the graph
// optimizers by their field and their value for "off". They reorder arithmetic or fold constants with other kernels, so that
// results would differ in the last bits. Fields from 16 on (common_subgraph_elimination, disable_meta_optimizer) need a byte of
// 128 or more, which the addon, whose attributes are text, would change; merging equal subexpressions changes no bits.
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

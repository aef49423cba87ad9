// Records the operations that run inside a function of tensors: while it runs, tfjs-node's addon is replaced by a wrapper
// that passes every call on and writes it down.
import { backend as tensorflow } from '../rawOps';
import { tf } from '../tensorflow';
import {
  constantNode,
  graphDef,
  operationNode,
  placeholderNode,
  type Constant,
  type NodeDef,
} from './graphDef';

/** A function of tensors as a graph. */
export interface Recording {
  graphDef: Uint8Array;
  nodes: readonly NodeDef[];
  /** Names of the nodes that stand for the arguments. */
  inputs: string[];
  /** 'node:i' */
  outputs: string[];
  /** Nodes without outputs, which change variables: to be run whatever the outputs need. */
  controls: string[];
}

/** Why a function cannot be recorded. */
export class NotRecordable extends Error {}

/** The name of the tf.tidy scope in which values may be read: see `compile`. */
export const CHECK_SCOPE = 'check';

type Id = number;
type Binding = typeof tensorflow.binding;

/** tfjs-node's backend, with what of its inside is used here. */
interface Backend {
  binding: Binding;
  /** The values, by the key of a tensor; `values` are there until they are sent to TensorFlow. */
  tensorMap: { get(dataId: object): { dtype: number; shape: number[]; values: unknown } };
  getInputTensorIds(tensors: readonly tf.Tensor[]): Id[];
  write(...call: Parameters<typeof tensorflow.write>): object;
}

const backend = tensorflow as unknown as Backend;
const { binding } = backend;

let recording = false;

/** Whether a recording is going on. */
export const isRecording = (): boolean => recording;

/**
 * Runs f once and records the operations that it runs.
 *
 * @param inputs  what becomes an argument; f may use other tensors only if it makes them itself, or if they are scalars
 * @returns what f returned, in the enclosing tf.tidy, and the recording, or why there is none
 */
export function record(
  f: () => tf.Tensor[],
  inputs: readonly tf.Tensor[],
): { results: tf.Tensor[]; recording: Recording | NotRecordable } {
  const recorder = new Recorder(inputs);
  const results = recorder.run(f);
  return { results, recording: recorder.finish(results) };
}

class Recorder {
  private readonly nodes: NodeDef[] = [];
  /** 'node:i' by the id of the tensor that it yields. */
  private readonly sources = new Map<Id, string>();
  /** Values from JavaScript. They become nodes where they are first used, so that it does not matter when they were sent. */
  private readonly constants = new Map<Id, Constant>();
  /** Tensors that an operation was given, by id: what is known of those from outside. */
  private readonly tensors = new Map<Id, tf.Tensor>();
  /** Values that f has written. */
  private readonly written = new WeakSet<object>();
  private readonly inputs: string[];
  private readonly controls: string[] = [];
  /** The last operation on each variable in TensorFlow's keeping. */
  private readonly lastUse = new Map<Id, string>();
  private readonly resources = new Set<Id>();
  private problem: NotRecordable | undefined;

  constructor(inputs: readonly tf.Tensor[]) {
    const ids = backend.getInputTensorIds(inputs);
    this.inputs = inputs.map((input, i) => {
      const name = `input${i}`;
      const { dtype } = backend.tensorMap.get(input.dataId);
      this.nodes.push(placeholderNode(name, { dtype, shape: input.shape }));
      this.sources.set(ids[i], `${name}:0`);
      if (dtype === binding.TF_RESOURCE) this.resources.add(ids[i]);
      return name;
    });
  }

  run(f: () => tf.Tensor[]): tf.Tensor[] {
    const own = Object.getPrototypeOf(backend) as Backend;
    const wrapper = Object.create(binding) as Binding;
    const define = <K extends keyof Binding>(name: K, value: Binding[K]) =>
      Object.defineProperty(wrapper, name, { value });
    define('createTensor', (shape, dtype, values) => this.createTensor(shape, dtype, values));
    define('executeOp', (...call) => this.executeOp(...call));
    define('tensorDataSync', (id) => this.tensorDataSync(id));
    backend.binding = wrapper;
    backend.getInputTensorIds = (tensors) => {
      for (const tensor of tensors) if (tensor instanceof tf.Tensor) this.look(tensor);
      const ids = own.getInputTensorIds.call(backend, tensors);
      ids.forEach((id, i) => this.tensors.set(id, tensors[i]));
      return ids;
    };
    backend.write = (...values) => {
      const dataId = own.write.apply(backend, values);
      this.written.add(dataId);
      return dataId;
    };
    recording = true;
    try {
      return f();
    } finally {
      recording = false;
      backend.binding = binding;
      delete (backend as Partial<Backend>).getInputTensorIds;
      delete (backend as Partial<Backend>).write;
    }
  }

  finish(results: tf.Tensor[]): Recording | NotRecordable {
    const ids = backend.getInputTensorIds(results);
    ids.forEach((id, i) => this.tensors.set(id, results[i]));
    const outputs = ids.map((id) => this.source(id));
    if (this.problem !== undefined) return this.problem;
    const { nodes, inputs, controls } = this;
    return { graphDef: graphDef(nodes), nodes, inputs, outputs, controls };
  }

  private refuse(reason: string): void {
    this.problem ??= new NotRecordable(reason);
  }

  /** A tensor from outside whose values have not been sent yet would look like one that f makes. */
  private look(tensor: tf.Tensor): void {
    const { values, shape } = backend.tensorMap.get(tensor.dataId);
    if (values !== null && !this.written.has(tensor.dataId)) this.checkOutside(tensor, shape);
  }

  private checkOutside(tensor: tf.Tensor, shape: number[]): void {
    if (tensor instanceof tf.Variable)
      this.refuse(`it uses the variable ${tensor.name}, which is not among its arguments and may change`);
    else if (tf.util.sizeFromShape(shape) !== 1)
      this.refuse(
        `it uses a tensor of shape [${shape.join(', ')}] from outside: give it as an argument (a scalar becomes a constant)`,
      );
  }

  private createTensor(...[shape, dtype, values]: Parameters<Binding['createTensor']>): Id {
    const id = binding.createTensor(shape, dtype, values);
    if (!ArrayBuffer.isView(values)) this.refuse('it makes a tensor of strings');
    else this.constants.set(id, { dtype, shape: [...shape], bytes: copyOf(values) });
    return id;
  }

  private executeOp(...[operation, attributes, ids, count]: Parameters<Binding['executeOp']>) {
    const outputs = binding.executeOp(operation, attributes, ids, count);
    const sources = ids.map((id) => this.source(id)); // constants first, in the order of their use
    const name = `n${this.nodes.length}_${operation}`; // TensorFlow's messages quote it
    for (const id of ids.filter((each) => this.resources.has(each))) {
      const before = this.lastUse.get(id);
      if (before !== undefined) sources.push(`^${before}`);
      this.lastUse.set(id, name);
    }
    this.nodes.push(operationNode(name, operation, sources, attributes));
    if (count === 0) this.controls.push(name);
    outputs.forEach((output, i) => this.sources.set(output.id, `${name}:${i}`));
    return outputs;
  }

  private tensorDataSync(id: Id) {
    if (tf.engine().state.activeScope?.name !== CHECK_SCOPE)
      this.refuse('it reads values (dataSync, arraySync), which differ from call to call');
    return binding.tensorDataSync(id);
  }

  /** The node that yields a tensor. */
  private source(id: Id): string {
    const known = this.sources.get(id);
    if (known !== undefined) return known;
    const name = `n${this.nodes.length}_Const`;
    const constant = this.constants.get(id) ?? this.fromOutside(id);
    if (constant === undefined) return name; // there is a problem, and no graph will be made
    this.nodes.push(constantNode(name, constant));
    this.sources.set(id, `${name}:0`);
    return `${name}:0`;
  }

  /** A tensor that was there before: by value. */
  private fromOutside(id: Id): Constant | undefined {
    const tensor = this.tensors.get(id);
    if (tensor === undefined) throw new Error(`record: tensor ${id} comes from nowhere`); // cannot be
    const { shape, dtype } = backend.tensorMap.get(tensor.dataId);
    this.checkOutside(tensor, shape);
    if (this.problem !== undefined) return undefined;
    return { dtype, shape: [...shape], bytes: copyOf(binding.tensorDataSync(id)) };
  }
}

/** TensorFlow may share the memory of an array that it was given, and change it. */
function copyOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

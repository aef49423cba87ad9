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

const STRINGS = 'it uses a tensor of strings, or a handle of a variable, that is not among its arguments';

type Id = number;
type Binding = typeof tensorflow.binding;

/** The parts of tfjs-node's backend that are used here; most of them are private there. */
interface Backend {
  binding: Binding;
  /** By a tensor's dataId. `values` are those from JavaScript, until they are sent to TensorFlow; then null. */
  tensorMap: { get(dataId: object): { dtype: number; shape: number[]; values: unknown } };
  getInputTensorIds(tensors: readonly tf.Tensor[]): Id[];
  write(...call: Parameters<typeof tensorflow.write>): object;
  readSync(dataId: object): ReturnType<typeof tensorflow.readSync>;
}

const backend = tensorflow as unknown as Backend;
const { binding } = backend;

let recording = false;

/** Whether a recording is going on. */
export const isRecording = (): boolean => recording;

/** TensorFlow's dtype of a tensor: tfjs calls more than one of them 'int32', and handles of variables 'string'. */
export const dtypeOf = ({ dataId }: tf.Tensor): number => backend.tensorMap.get(dataId).dtype;

/**
 * Runs f once and records the operations that it runs.
 *
 * @param inputs  what becomes an argument. Other tensors f may use only if it makes them itself, or if they have one element
 * @returns what f returned, in the enclosing tf.tidy, and the recording, or the reason why there is none
 */
export function record(
  f: () => tf.Tensor[],
  inputs: readonly tf.Tensor[],
): { results: tf.Tensor[]; recording: Recording | NotRecordable } {
  return new Recorder(inputs).run(f);
}

class Recorder {
  private readonly nodes: NodeDef[] = [];
  /** 'node:i' by the id of the tensor that it yields. */
  private readonly sources = new Map<Id, string>();
  /** Values from JavaScript, by id. They become nodes at their first use, so that it does not matter when they were sent. */
  private readonly constants = new Map<Id, Constant>();
  /** The tensors that operations were given, by id: needed for those from outside. */
  private readonly tensors = new Map<Id, tf.Tensor>();
  /** The dataIds of values from JavaScript that f itself has made. */
  private readonly made = new WeakSet<object>();
  private readonly inputs: string[];
  private readonly controls: string[] = [];
  /** The arguments that are handles of TensorFlow's own variables. */
  private readonly handles = new Set<Id>();
  /** The last operation on each of those variables: the next one has to wait for it. */
  private readonly lastUse = new Map<Id, string>();
  private problem: NotRecordable | undefined;

  constructor(inputs: readonly tf.Tensor[]) {
    const ids = backend.getInputTensorIds(inputs);
    this.inputs = inputs.map((input, i) => {
      const name = `input${i}`;
      const { dtype } = backend.tensorMap.get(input.dataId);
      this.nodes.push(placeholderNode(name, { dtype, shape: input.shape }));
      this.sources.set(ids[i], `${name}:0`);
      if (dtype === binding.TF_RESOURCE) this.handles.add(ids[i]);
      return name;
    });
  }

  run(f: () => tf.Tensor[]): { results: tf.Tensor[]; recording: Recording | NotRecordable } {
    const prototype = Object.getPrototypeOf(backend) as Backend;
    const wrapper = Object.create(binding) as Binding;
    const define = <K extends keyof Binding>(name: K, value: Binding[K]) =>
      Object.defineProperty(wrapper, name, { value });
    define('createTensor', (shape, dtype, values) => this.createTensor(shape, dtype, values));
    define('executeOp', (...call) => this.executeOp(...call));
    backend.binding = wrapper;
    backend.getInputTensorIds = (tensors) => {
      // tfjs also passes a number for an int64 here, Int64Scalar, which is no tensor and is sent at once.
      for (const tensor of tensors) if (tensor instanceof tf.Tensor) this.checkUnsent(tensor);
      const ids = prototype.getInputTensorIds.call(backend, tensors);
      ids.forEach((id, i) => this.tensors.set(id, tensors[i]));
      return ids;
    };
    backend.write = (...values) => {
      const dataId = prototype.write.apply(backend, values);
      this.made.add(dataId);
      return dataId;
    };
    backend.readSync = (dataId) => {
      this.checkRead(dataId);
      return prototype.readSync.call(backend, dataId);
    };
    recording = true;
    try {
      const results = f();
      const outputs = backend.getInputTensorIds(results).map((id) => this.source(id));
      return { results, recording: this.problem ?? this.recordingWith(outputs) };
    } finally {
      recording = false;
      backend.binding = binding;
      for (const patched of ['getInputTensorIds', 'write', 'readSync'] as const)
        delete (backend as Partial<Backend>)[patched];
    }
  }

  private recordingWith(outputs: string[]): Recording {
    const { nodes, inputs, controls } = this;
    return { graphDef: graphDef(nodes), nodes, inputs, outputs, controls };
  }

  private refuse(reason: string): void {
    this.problem ??= new NotRecordable(reason);
  }

  /** A tensor from outside whose values are about to be sent would look like one that f makes. */
  private checkUnsent(tensor: tf.Tensor): void {
    const { values, shape } = backend.tensorMap.get(tensor.dataId);
    if (values !== null && !this.made.has(tensor.dataId)) this.checkOutside(tensor, shape);
  }

  private checkOutside({ dataId }: tf.Tensor, shape: number[]): void {
    // By its values, since clone(), reshape and the like share them.
    const variables = Object.values(tf.engine().state.registeredVariables);
    const variable = variables.find((each) => each.dataId === dataId);
    if (variable !== undefined)
      this.refuse(`it uses the variable ${variable.name}, which is not among its arguments and may change`);
    else if (tf.util.sizeFromShape(shape) !== 1)
      this.refuse(
        `it uses a tensor of shape [${shape.join(', ')}] from outside: give it as an argument (one element becomes a constant)`,
      );
  }

  private checkRead(dataId: object): void {
    const { values } = backend.tensorMap.get(dataId);
    if (values !== null && this.made.has(dataId)) return; // a constant, which f has made
    if (tf.engine().state.activeScope?.name !== CHECK_SCOPE)
      this.refuse('it reads values (dataSync, arraySync), which differ from call to call');
  }

  private createTensor(...[shape, dtype, values]: Parameters<Binding['createTensor']>): Id {
    const id = binding.createTensor(shape, dtype, values);
    if (!ArrayBuffer.isView(values)) this.refuse(STRINGS);
    else this.constants.set(id, { dtype, shape: [...shape], bytes: copyOf(values) });
    return id;
  }

  private executeOp(...[operation, attributes, ids, count]: Parameters<Binding['executeOp']>) {
    const outputs = binding.executeOp(operation, attributes, ids, count);
    const sources = ids.map((id) => this.source(id)); // constants first, in the order of their use
    const name = `n${this.nodes.length}_${operation}`; // TensorFlow's messages quote it
    for (const id of ids.filter((each) => this.handles.has(each))) {
      const before = this.lastUse.get(id);
      if (before !== undefined) sources.push(`^${before}`);
      this.lastUse.set(id, name);
    }
    this.nodes.push(operationNode(name, operation, sources, attributes));
    if (count === 0) this.controls.push(name);
    outputs.forEach(({ id, dtype }, i) => {
      this.sources.set(id, `${name}:${i}`);
      // Nothing would order the operations on it: two handles may be of one variable.
      if (dtype === binding.TF_RESOURCE)
        this.refuse("it makes a handle of one of TensorFlow's variables: give it as an argument");
    });
    return outputs;
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

  /** A tensor that was there before, as a constant. */
  private fromOutside(id: Id): Constant | undefined {
    const tensor = this.tensors.get(id);
    if (tensor === undefined) throw new Error(`record: tensor ${id} comes from nowhere`); // cannot be
    const { shape, dtype } = backend.tensorMap.get(tensor.dataId);
    this.checkOutside(tensor, shape);
    if (dtype === binding.TF_STRING || dtype === binding.TF_RESOURCE) this.refuse(STRINGS);
    if (this.problem !== undefined) return undefined;
    return { dtype, shape: [...shape], bytes: copyOf(binding.tensorDataSync(id)) };
  }
}

/** TensorFlow may share the memory of an array that it was given, and change it. */
function copyOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

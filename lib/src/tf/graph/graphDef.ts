// A graph in TensorFlow's own format, protocol buffers. tfjs-node brings the classes of its messages, to read saved models
// with; here they write.
import { backend } from '../rawOps';

/** The parts of tfjs-node's generated classes that are used here. They come without types. */
interface Messages {
  GraphDef: new () => {
    setNodeList(nodes: NodeDef[]): void;
    setVersions(version: object): void;
    serializeBinary(): Uint8Array;
  };
  VersionDef: new () => { setProducer(version: number): void };
  NodeDef: new () => NodeDef;
  AttrValue: (new () => AttrValue) & { ListValue: new () => ListValue };
  TensorShape: (new () => { setDimList(dims: object[]): void }) & {
    Dim: new () => { setSize(size: number): void };
  };
  Tensor: new () => {
    setDtype(dtype: number): void;
    setTensorShape(shape: object): void;
    setTensorContent(bytes: Uint8Array): void;
  };
}

interface NodeDef {
  setName(name: string): void;
  setOp(operation: string): void;
  setInputList(inputs: string[]): void;
  getAttrMap(): { set(name: string, value: AttrValue): void };
  getName(): string;
  serializeBinary(): Uint8Array;
}

type Setter<T> = (value: T) => void;

interface AttrValue {
  setS: Setter<Uint8Array>;
  setI: Setter<number>;
  setF: Setter<number>;
  setB: Setter<boolean>;
  setType: Setter<number>;
  setShape: Setter<object>;
  setTensor: Setter<object>;
  setList: Setter<ListValue>;
}

interface ListValue {
  setSList: Setter<Uint8Array[]>;
  setIList: Setter<number[]>;
  setFList: Setter<number[]>;
  setBList: Setter<boolean[]>;
  setTypeList: Setter<number[]>;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- generated JavaScript without types
const messages = require('@tensorflow/tfjs-node-gpu/dist/proto/api_pb') as Messages;
const { binding } = backend;

/** An attribute as the addon's executeOp takes it. */
export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** A tensor's values as they lie in memory. */
export interface Constant {
  dtype: number;
  shape: number[];
  bytes: Uint8Array;
}

/** The version of the format, TF_GRAPH_DEF_VERSION of TensorFlow 2.21. Newer TensorFlows read it as well. */
const PRODUCER = 2474;

const utf8 = new TextEncoder();

/** A node that runs an operation. Inputs are 'node:i', or '^node' for one that must have run before. */
export function operationNode(
  name: string,
  operation: string,
  inputs: string[],
  attributes: readonly OpAttribute[],
): NodeDef {
  const node = new messages.NodeDef();
  node.setName(name);
  node.setOp(operation);
  node.setInputList(inputs);
  for (const attribute of attributes) node.getAttrMap().set(attribute.name, attrValue(attribute));
  return node;
}

/** A node that stands for an argument of the function. */
export function placeholderNode(name: string, { dtype, shape }: Omit<Constant, 'bytes'>): NodeDef {
  const attributes = [
    { name: 'dtype', type: binding.TF_ATTR_TYPE, value: dtype },
    { name: 'shape', type: binding.TF_ATTR_SHAPE, value: shape },
  ];
  return operationNode(name, 'Placeholder', [], attributes);
}

/** A node with a fixed value. */
export function constantNode(name: string, { dtype, shape, bytes }: Constant): NodeDef {
  const node = operationNode(
    name,
    'Const',
    [],
    [{ name: 'dtype', type: binding.TF_ATTR_TYPE, value: dtype }],
  );
  const tensor = new messages.Tensor();
  tensor.setDtype(dtype);
  tensor.setTensorShape(tensorShape(shape));
  tensor.setTensorContent(bytes);
  const value = new messages.AttrValue();
  value.setTensor(tensor);
  node.getAttrMap().set('value', value);
  return node;
}

export function graphDef(nodes: NodeDef[]): Uint8Array {
  const graph = new messages.GraphDef();
  const version = new messages.VersionDef();
  version.setProducer(PRODUCER);
  graph.setVersions(version);
  graph.setNodeList(nodes);
  return graph.serializeBinary();
}

function attrValue({ name, type, value }: OpAttribute): AttrValue {
  const result = new messages.AttrValue();
  const list = new messages.AttrValue.ListValue();
  const bytes = (text: unknown) => utf8.encode(String(text));
  /** One value, or a list of them. */
  const set = <T>(one: (value: T) => void, many: (values: T[]) => void, convert = (x: unknown) => x as T) => {
    if (!Array.isArray(value)) return one.call(result, convert(value));
    many.call(list, value.map(convert));
    result.setList(list);
  };
  if (type === binding.TF_ATTR_STRING) set(result.setS, list.setSList, bytes);
  else if (type === binding.TF_ATTR_INT) set(result.setI, list.setIList);
  else if (type === binding.TF_ATTR_FLOAT) set(result.setF, list.setFList);
  else if (type === binding.TF_ATTR_BOOL) set(result.setB, list.setBList, Boolean);
  else if (type === binding.TF_ATTR_TYPE) set(result.setType, list.setTypeList);
  else if (type === binding.TF_ATTR_SHAPE) result.setShape(tensorShape(value as number[]));
  else throw new Error(`graphDef: attribute ${name} has the unknown type ${type}`);
  return result;
}

function tensorShape(shape: number[]): object {
  const result = new messages.TensorShape();
  result.setDimList(
    shape.map((size) => {
      const dim = new messages.TensorShape.Dim();
      dim.setSize(size);
      return dim;
    }),
  );
  return result;
}

export type { NodeDef };

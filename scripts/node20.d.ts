// What Node 20 has, and TypeScript 5.0 does not yet declare: ES2023's changes by copy, of arrays and typed arrays.
interface ReadonlyArray<T> {
  /** A copy in which the order is reversed. */
  toReversed(): T[];
  /** A sorted copy; without a comparison in the order of the elements as text. */
  toSorted(compare?: (a: T, b: T) => number): T[];
  /** A copy without `deleteCount` elements from `start` on, and with `items` in their place. */
  toSpliced(start: number, deleteCount?: number, ...items: T[]): T[];
  /** A copy in which one element is another; a negative index counts from the end. */
  with(index: number, value: T): T[];
}

interface Array<T> {
  /** A copy in which the order is reversed. */
  toReversed(): T[];
  /** A sorted copy; without a comparison in the order of the elements as text. */
  toSorted(compare?: (a: T, b: T) => number): T[];
  /** A copy without `deleteCount` elements from `start` on, and with `items` in their place. */
  toSpliced(start: number, deleteCount?: number, ...items: T[]): T[];
  /** A copy in which one element is another; a negative index counts from the end. */
  with(index: number, value: T): T[];
}

interface ChangedByCopy<Self, T> {
  /** A copy in which the order is reversed. */
  toReversed(): Self;
  /** A sorted copy, of numbers by size. */
  toSorted(compare?: (a: T, b: T) => number): Self;
  /** A copy in which one element is another; a negative index counts from the end. */
  with(index: number, value: T): Self;
}

interface Int8Array extends ChangedByCopy<Int8Array, number> {}
interface Uint8Array extends ChangedByCopy<Uint8Array, number> {}
interface Uint8ClampedArray extends ChangedByCopy<Uint8ClampedArray, number> {}
interface Int16Array extends ChangedByCopy<Int16Array, number> {}
interface Uint16Array extends ChangedByCopy<Uint16Array, number> {}
interface Int32Array extends ChangedByCopy<Int32Array, number> {}
interface Uint32Array extends ChangedByCopy<Uint32Array, number> {}
interface Float32Array extends ChangedByCopy<Float32Array, number> {}
interface Float64Array extends ChangedByCopy<Float64Array, number> {}
interface BigInt64Array extends ChangedByCopy<BigInt64Array, bigint> {}
interface BigUint64Array extends ChangedByCopy<BigUint64Array, bigint> {}

interface String {
  /** Whether no half of a surrogate pair stands alone. */
  isWellFormed(): boolean;
  /** The same text, with U+FFFD for each such half. */
  toWellFormed(): string;
}

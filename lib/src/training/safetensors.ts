import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

// The safetensors format: the header's length (8 bytes, little-endian), the header as JSON, the arrays' bytes one after
// another in the header's order. Python reads such files by safetensors.numpy.load_file. Ours end with an array named
// 'sha256', the checksum of all bytes before it.

const ARRAYS = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const;
const CHECKSUM_BYTES = 32;
const CHECKSUM = { name: 'sha256', dtype: 'U8', shape: [CHECKSUM_BYTES] } as const;
const MAX_HEADER_BYTES = 100e6; // the format's own limit
const CHUNK_BYTES = 4e6;

type DType = keyof typeof ARRAYS;
type Values = InstanceType<(typeof ARRAYS)[DType]>;

/** An array to be written: its values are asked for when their turn comes, so that only one array is held at a time. */
export interface SourceArray {
  name: string;
  dtype: DType;
  shape: number[];
  values: () => Values | Promise<Values>;
}

interface HeaderEntry {
  dtype: DType;
  shape: readonly number[];
  data_offsets: [begin: number, end: number];
}

/**
 * Writes arrays and texts to a file, which appears whole or not at all: under a temporary name, which ends with
 * `.PID.tmp`, flushed to the disk, then renamed.
 *
 * @throws Error of the file system, with its `code`; the previous file, if any, is then still there
 */
export async function writeSafetensors(
  file: string,
  metadata: Record<string, string>,
  arrays: SourceArray[],
): Promise<void> {
  const folder = path.dirname(file);
  const temporary = `${file}.${process.pid}.tmp`;
  await mkdir(folder, { recursive: true });
  try {
    const handle = await open(temporary, 'w');
    try {
      await writeContent(handle, metadata, arrays);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

async function writeContent(
  handle: FileHandle,
  metadata: Record<string, string>,
  arrays: SourceArray[],
): Promise<void> {
  const hash = createHash('sha256');
  const put = async (bytes: Uint8Array) => {
    const written = handle.writeFile(bytes); // by another thread, while this one computes the checksum
    hash.update(bytes);
    await written;
  };

  let end = 0;
  const entries = [...arrays, CHECKSUM].map(({ name, dtype, shape }): [string, HeaderEntry] => {
    const begin = end;
    end += byteLength(dtype, shape);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const padding = (8 - (Buffer.byteLength(json) % 8)) % 8; // so that the arrays begin at a multiple of 8
  const header = Buffer.from(json + ' '.repeat(padding));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await put(length);
  await put(header);
  for (const { name, dtype, shape, values } of arrays) {
    const bytes = asBytes(await values());
    if (bytes.length !== byteLength(dtype, shape))
      throw new TypeError(
        `writeSafetensors: ${name} has ${bytes.length} bytes; expected ${dtype} [${shape.join(', ')}]`,
      );
    await put(bytes);
  }
  await handle.writeFile(hash.digest());
}

/** A file of arrays, found whole when it was opened. */
export class SafetensorsFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly dataStart: number,
    private readonly entries: Readonly<Record<string, HeaderEntry>>,
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  /**
   * Opens a file that `writeSafetensors` has written, and checks all of it.
   *
   * @returns the file, to be closed by the caller; undefined if there is none
   * @throws Error that says what is wrong with the file, without its name
   */
  static async open(file: string): Promise<SafetensorsFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(file, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const { size } = await handle.stat();
      const { header, dataStart } = await readHeader(handle, size);
      const { __metadata__: metadata, ...entries } = header;
      const end = dataStart + entries[CHECKSUM.name].data_offsets[1];
      if (size !== end)
        throw new Error(`it has ${size} bytes${size < end ? ' (truncated)' : ''}; expected ${end}`);
      await verify(handle, end - CHECKSUM_BYTES);
      return new SafetensorsFile(handle, dataStart, entries, metadata);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Of the arrays, in the order in which they were written. */
  get names(): string[] {
    return Object.keys(this.entries).slice(0, -1); // without the checksum
  }

  /** @throws Error if there is no array of that name */
  async read(name: string): Promise<Values> {
    const entry = this.entries[name];
    if (entry === undefined) throw new Error(`it has no array '${name}'`);
    const bytes = new Uint8Array(byteLength(entry.dtype, entry.shape));
    await readFully(this.handle, bytes, this.dataStart + entry.data_offsets[0]);
    return new ARRAYS[entry.dtype](bytes.buffer);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

type Header = { __metadata__: Record<string, string> } & Record<string, HeaderEntry>;

async function readHeader(handle: FileHandle, size: number): Promise<{ header: Header; dataStart: number }> {
  const length = Buffer.alloc(8);
  if (size < length.length) throw new Error(`it has ${size} bytes (truncated)`);
  await readFully(handle, length, 0);
  const headerLength = Number(length.readBigUInt64LE());
  if (headerLength > MAX_HEADER_BYTES) throw new Error('it does not begin like a safetensors file');
  const dataStart = length.length + headerLength;
  if (dataStart > size) throw new Error(`it has ${size} bytes (truncated)`);
  const bytes = Buffer.alloc(headerLength);
  await readFully(handle, bytes, length.length);
  let header: Partial<Header>;
  try {
    header = JSON.parse(bytes.toString()) as Partial<Header>;
  } catch {
    throw new Error('its header is not JSON');
  }
  if (header[CHECKSUM.name]?.data_offsets === undefined || header.__metadata__ === undefined)
    throw new Error('its header lacks metadata or checksum');
  return { header: header as Header, dataStart };
}

async function verify(handle: FileHandle, end: number): Promise<void> {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let position = 0; position < end; position += chunk.length) {
    const part = chunk.subarray(0, end - position);
    await readFully(handle, part, position);
    hash.update(part);
  }
  const expected = Buffer.alloc(CHECKSUM_BYTES);
  await readFully(handle, expected, end);
  if (!hash.digest().equals(expected)) throw new Error('its content does not have its checksum (SHA-256)');
}

async function readFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new Error('it ends too early (truncated)');
    done += bytesRead;
  }
}

/** Makes a rename outlast a power failure; Windows knows no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function byteLength(dtype: DType, shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, ARRAYS[dtype].BYTES_PER_ELEMENT as number);
}

function asBytes(values: Values): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Rows of numbers as an array of float64, since JSON has no NaN. */
export function asArray<Name extends string>(
  name: string,
  columns: readonly Name[],
  rows: Record<Name, number>[],
): SourceArray {
  const values = Float64Array.from(rows.flatMap((row) => columns.map((column) => row[column])));
  return { name, dtype: 'F64', shape: [rows.length, columns.length], values: () => values };
}

/** The rows of which `asArray` has made the array. */
export function asRows<Name extends string>(
  columns: readonly Name[],
  values: ArrayLike<number>,
): Record<Name, number>[] {
  return Array.from({ length: values.length / columns.length }, (_, row) => {
    const entries = columns.map((name, i) => [name, values[row * columns.length + i]]);
    return Object.fromEntries(entries) as Record<Name, number>;
  });
}

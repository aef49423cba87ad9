// In place of node:fs/promises and node:zlib.
import { Buffer } from './buffer.js';
import { addressOf, notFound } from './fs.js';

export async function readFile(file) {
  const answer = await fetch(addressOf(file));
  if (!answer.ok) throw notFound(file);
  return new Buffer(await answer.arrayBuffer());
}

/** Hands `done` an error, or the content. */
export function gunzip(bytes, done) {
  unpack(bytes).then((content) => done(null, content), done);
}

async function unpack(bytes) {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b; // some servers call it an encoding, and the browser has unpacked it
  if (!isPacked) return bytes;
  const content = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Buffer(await new Response(content).arrayBuffer());
}

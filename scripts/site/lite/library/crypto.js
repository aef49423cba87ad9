// In place of node:crypto.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** The browser's own hashes are asynchronous. */
export function createHash(algorithm) {
  if (algorithm !== 'sha256') throw new Error(`createHash: there is no ${algorithm} here`);
  const hash = sha256.create();
  const chain = {
    update: (data) => (hash.update(typeof data === 'string' ? utf8ToBytes(data) : data), chain),
    digest: () => bytesToHex(hash.digest()),
  };
  return chain;
}

let count = 0;

/** Unique among the outputs of a page, which is what it is used for. (crypto.randomUUID needs https.) */
export const randomUUID = () => `${Date.now()}-${count++}`;

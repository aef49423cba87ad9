/** As much of Node's Buffer as lib/src uses. */
export class Buffer extends Uint8Array {
  readUInt32BE(offset) {
    return new DataView(this.buffer, this.byteOffset).getUint32(offset);
  }

  toString(encoding) {
    if (encoding !== 'base64') throw new Error(`Buffer: there is no ${encoding} here`);
    return btoa(Array.from(this, (byte) => String.fromCharCode(byte)).join(''));
  }
}

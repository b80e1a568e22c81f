/**
 * A payload of that size which begins with its number, in a buffer of its own.
 * @param {number} number
 * @param {number} size
 */
export function numberedPayload(number, size) {
  const payload = new Uint8Array(size).fill(0x5a);
  new DataView(payload.buffer).setUint32(0, number);
  return payload;
}

/**
 * Throws unless the payload is the one of that number.
 * @param {Uint8Array} payload
 * @param {number} number
 * @param {number} size
 */
export function checkPayload(payload, number, size) {
  const { buffer, byteOffset, length } = payload;
  const found = new DataView(buffer, byteOffset, length).getUint32(0);
  if (found !== number) throw new Error(`expected message ${number}, got message ${found}`);
  if (length !== size || payload[length - 1] !== 0x5a) {
    throw new Error(`message ${number} is not the one sent, it has ${length} bytes`);
  }
}

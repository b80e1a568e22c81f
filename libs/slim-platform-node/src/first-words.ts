import type { Socket } from 'node:net';
import type { Cancel, Clock } from '@nestjs-slim/core';

/**
 * In the settings that open a connection, a client of ours says that it goes on reading while it writes.
 * The number is of those kept for experiments; whoever does not know a setting passes over it (RFC 9113,
 * 6.5.2 and 11.3).
 */
export const readsWhileWriting = { 0xf5a1: 1 } as const;
const [settingId] = Object.keys(readsWhileWriting).map(Number);

// PRI * HTTP/2.0 ... (24 bytes), then SETTINGS: length (3), type 4 (1), flags (1), stream (4), and six
// bytes a setting: identifier (2), value (4).                                    (RFC 9113, 3.4 and 6.5)
const typeAt = 24 + 3;
const settingsAt = 24 + 9;
const settingBytes = 6;

/** True when the first bytes of a client have that setting. What came only in part does not. */
export function saysItReadsWhileWriting(bytes: Uint8Array): boolean {
  if (bytes.length < settingsAt || bytes[typeAt] !== 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = Math.min(settingsAt + (view.getUint32(typeAt - 3) >>> 8), bytes.length);
  for (let at = settingsAt; at + settingBytes <= end; at += settingBytes) {
    if (view.getUint16(at) === settingId && view.getUint32(at + 2) === 1) return true;
  }
  return false;
}

/** What a listener hands over to hear the first words of a client. */
export interface FirstWordsOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  /** How long the client may say nothing before its socket is destroyed. */
  readonly silenceMs: number;
}

/** Calls `heard` with the first bytes that came, which stay in the socket for whoever reads it then. */
export function hearFirstWords(
  { socket, clock, silenceMs }: FirstWordsOptions,
  heard: (bytes: Uint8Array) => void,
): void {
  const cancel: Cancel = clock.schedule(silenceMs, () => socket.destroy());
  const listen = (): void => {
    const bytes: unknown = socket.read();
    if (!(bytes instanceof Uint8Array)) return;
    cancel();
    socket.off('readable', listen);
    socket.off('close', cancel);
    socket.unshift(bytes);
    heard(bytes);
  };
  socket.on('readable', listen);
  socket.once('close', cancel);
}

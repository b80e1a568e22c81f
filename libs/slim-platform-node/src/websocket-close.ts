import { maxFrameBytes, SlimError } from '@nestjs-slim/core';

/** Close codes of a WebSocket that a link sends or looks at (RFC 6455 section 7.4.1). */
export const closeCode = {
  normal: 1000,
  goingAway: 1001,
  unsupportedData: 1003,
  /** The other end closed and gave no code. */
  none: 1005,
  /** There was no close message: the connection is lost, or the other end dropped it. */
  missing: 1006,
  /** The other end is not wanted; PERMISSION_DENIED of gRPC (reference: data plane 3.6). */
  refused: 1008,
} as const;

/** A close message has no room for more than this, in UTF-8 (RFC 6455 section 5.5). */
const maxTextBytes = 123;

/** As much of a reason as a close message can carry. */
export function closeText(text: string): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxTextBytes));
  return text.slice(0, read);
}

const orderly: readonly number[] = [closeCode.normal, closeCode.goingAway, closeCode.none];

/** Why a link ended; undefined where that was in order. */
export function endOf(code: number, text: string, remote: string): SlimError | undefined {
  if (orderly.includes(code)) return undefined;
  if (code === closeCode.missing) return new SlimError('link-closed', `${remote} is gone`);
  const what = `${remote} ended the link with WebSocket code ${code}${text && `: ${text}`}`;
  return new SlimError(code === closeCode.refused ? 'refused' : 'link-closed', what);
}

/** What an error of the library means: what the other end sent, or the connection. */
export function failureOf(reason: Error, remote: string): SlimError {
  const code = 'code' in reason ? String(reason.code) : '';
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    const what = `a frame of ${remote} is larger than the limit of ${maxFrameBytes} bytes`;
    return new SlimError('message-too-large', what, { cause: reason });
  }
  return SlimError.from(
    reason,
    code.startsWith('WS_ERR') ? 'malformed-frame' : 'link-closed',
    remote,
  );
}

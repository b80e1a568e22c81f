import { maxFrameBytes, SlimError } from '@nestjs-slim/core';

/**
 * Refuses a frame the other end would end the link for.
 * @throws SlimError `message-too-large`
 */
export function checkFrameSize(frame: Uint8Array): void {
  if (frame.length <= maxFrameBytes) return;
  const what = `a frame of ${frame.length} bytes, the limit is ${maxFrameBytes}`;
  throw new SlimError('message-too-large', what);
}

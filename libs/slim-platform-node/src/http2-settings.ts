import type { SessionOptions, Settings } from 'node:http2';

/** The one method of the data plane (reference: data plane 3.1). */
export const openChannelPath = '/dataplane.proto.v1.DataPlaneService/OpenChannel';

/**
 * Bytes a peer may send before we have read them, for a stream and for its connection. The default of
 * 64 KiB costs a round trip per window: 2,000 messages a second (reference: interop notes 7.1). A peer hears of what
 * was read each time half of it was: with much more, a reader of 3 MB/s seems to stand still (`NodeLimits.stallMs`).
 */
export const windowBytes = 512 * 1024;

/** As an official node has it (reference: data plane 3.9). */
export const defaultHeaderListBytes = 16 * 1024;

/** What can be set of a session. */
export interface SessionLimits {
  readonly maxConcurrentStreams?: number;
  readonly maxHeaderListBytes?: number;
  readonly maxHttp2FrameBytes?: number;
}

/** How a session of either side is set up. */
export function sessionOptions(limits: SessionLimits): SessionOptions {
  const { maxConcurrentStreams = 128, maxHeaderListBytes = defaultHeaderListBytes } = limits;
  const { maxHttp2FrameBytes = 16 * 1024 } = limits;
  const settings: Settings = {
    enablePush: false,
    initialWindowSize: windowBytes,
    maxConcurrentStreams,
    maxHeaderListSize: maxHeaderListBytes,
    maxFrameSize: maxHttp2FrameBytes,
  };
  // In megabytes. What is queued for a slow peer counts, and at the default of 10 a session with much
  // of it refuses the next stream. Windows and the high-water mark of the links bound it already.
  return { settings, maxSessionMemory: 1024 };
}

/** How long the other end may take to end a link that we ended. */
export const closeGraceMs = 5_000;

/** How long the other end may keep a connection that has no link any more and was told to end. */
export const hangUpGraceMs = 1_000;

/** How long a peer may take for one frame that it began, unless told otherwise. */
export const defaultFrameTimeoutMs = 60_000;

/** How long a connection with a link on it may take to come about, unless told otherwise. */
export const defaultConnectTimeoutMs = 20_000;

/** How often a quiet connection is checked, unless told otherwise. */
export const defaultKeepaliveMs = 60_000;

/** How long a peer may take to answer a ping (reference: data plane 3.8). */
export const pingTimeoutMs = 20_000;

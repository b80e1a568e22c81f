import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { SlimError } from '@nestjs-slim/core';

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** Status codes of gRPC that a link sends. */
export const grpcStatus = { ok: 0, unimplemented: 12 } as const;

/** The gRPC status that headers or trailers carry, with its message; undefined where there is none. */
export function describeGrpcStatus(headers: Headers): { ok: boolean; text: string } | undefined {
  const code = text(headers['grpc-status']);
  if (code === undefined) return undefined;
  const message = decodeMessage(text(headers['grpc-message']) ?? '');
  return { ok: code === '0', text: `gRPC status ${code}${message && `: ${message}`}` };
}

/**
 * Why an answer to OpenChannel is not the beginning of a link; undefined when it is. Failed link
 * authentication is a plain HTTP status (reference: data plane 6.6).
 */
export function refusalOf(headers: Headers): SlimError | undefined {
  const status = describeGrpcStatus(headers);
  if (headers[':status'] !== 200) {
    const what = `HTTP status ${headers[':status']}${status ? `, ${status.text}` : ''}`;
    return new SlimError('link-failed', what);
  }
  if (status) return new SlimError('link-failed', status.text);
  const type = headers['content-type'] ?? 'no content type';
  if (type.startsWith('application/grpc')) return undefined;
  return new SlimError('link-failed', `expected application/grpc, got ${type}`);
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** The message is percent-encoded; one that is not encoded well is shown as it came. */
function decodeMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

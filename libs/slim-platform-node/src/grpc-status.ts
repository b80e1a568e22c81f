import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { SlimError } from '@nestjs-slim/core';

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** Status codes of gRPC that a link knows. */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  permissionDenied: 7,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Who we are was asked and not believed, or is not enough. */
const identityStatuses = [401, 403];

/** What a gRPC status means for whoever dialled. */
export function refusalCode(status: number): 'identity-rejected' | 'link-failed' {
  return status === grpcStatus.unauthenticated ? 'identity-rejected' : 'link-failed';
}

/** What headers or trailers say about the end of a call. */
export interface GrpcStatus {
  readonly code: number;
  readonly ok: boolean;
  readonly text: string;
}

/** The gRPC status that headers or trailers carry, with its message; undefined where there is none. */
export function describeGrpcStatus(headers: Headers): GrpcStatus | undefined {
  const code = text(headers['grpc-status']);
  if (code === undefined) return undefined;
  const message = decodeMessage(text(headers['grpc-message']) ?? '');
  return {
    code: Number(code),
    ok: code === '0',
    text: `gRPC status ${code}${message && `: ${message}`}`,
  };
}

/**
 * Why an answer to OpenChannel is not the beginning of a link; undefined when it is. Failed link
 * authentication is a plain HTTP status (reference: data plane 6.6).
 */
export function refusalOf(headers: Headers): SlimError | undefined {
  const status = describeGrpcStatus(headers);
  const { ':status': http = 0 } = headers;
  if (http !== 200) {
    const what = `HTTP status ${http}${status ? `, ${status.text}` : ''}`;
    return new SlimError(
      identityStatuses.includes(http) ? 'identity-rejected' : 'link-failed',
      what,
    );
  }
  if (status) return new SlimError(refusalCode(status.code), status.text);
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

import { RpcException } from '@nestjs/microservices';

/** What a `SlimException` is made from. */
export interface SlimExceptionDetails {
  /** What callers branch on, such as `out-of-stock`. */
  readonly code: string;
  readonly message: string;
  /** True when the same request may succeed later; false unless given. */
  readonly retryable?: boolean;
  /** More for the caller to read; a value that JSON can express. */
  readonly details?: unknown;
  /** Stays on this side. */
  readonly cause?: unknown;
}

/** What filters see of a `SlimException` and foreign peers are sent. */
export interface SlimExceptionBody {
  readonly status: 'error';
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: unknown;
}

/** Shared by all copies of this package, so that a body is known whichever copy made it. */
const bodyMark: unique symbol = Symbol.for('nestjs-slim.exception');

/**
 * An error with a code that travels: thrown by a handler, guard, pipe or interceptor, the caller's stream
 * fails with a `SlimException` of the same code, message, `retryable` and details.
 */
export class SlimException extends RpcException {
  override readonly name: string = 'SlimException';
  readonly code: string;
  readonly retryable: boolean;
  readonly details: unknown;

  constructor({ code, message, retryable = false, details, cause }: SlimExceptionDetails) {
    const body = { status: 'error', code, message, retryable } as const;
    super(marked(details === undefined ? body : { ...body, details }));
    this.code = code;
    this.retryable = retryable;
    this.details = details;
    if (cause !== undefined) this.cause = cause;
  }

  /** The exception that a body stands for, as it came off the wire. Undefined when it is no such body. */
  static fromBody(body: unknown): SlimException | undefined {
    if (typeof body !== 'object' || body === null) return undefined;
    const { code, message, retryable, details } = body as Partial<SlimExceptionBody>;
    if (typeof code !== 'string' || typeof message !== 'string') return undefined;
    return new SlimException({ code, message, retryable: retryable === true, details });
  }
}

/** True for what `SlimException.getError` gives, which exception filters pass on. */
export function isExceptionBody(value: unknown): value is SlimExceptionBody {
  return typeof value === 'object' && value !== null && bodyMark in value;
}

/** Not enumerable: neither JSON nor a test for equality sees the mark. */
function marked(body: SlimExceptionBody): SlimExceptionBody {
  return Object.defineProperty(body, bodyMark, { value: true });
}

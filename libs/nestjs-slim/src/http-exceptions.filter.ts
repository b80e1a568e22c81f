import { Catch, HttpException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';
import { SlimException } from './slim-exception.js';

/** What a status means to a caller that is not of the web. */
const codes: ReadonlyMap<number, string> = new Map([
  [400, 'invalid-argument'],
  [401, 'unauthenticated'],
  [403, 'permission-denied'],
  [404, 'not-found'],
  [405, 'unimplemented'],
  [408, 'timeout'],
  [409, 'conflict'],
  [410, 'not-found'],
  [412, 'failed-precondition'],
  [413, 'message-too-large'],
  [424, 'failed-precondition'],
  [428, 'failed-precondition'],
  [429, 'resource-exhausted'],
  [501, 'unimplemented'],
  [502, 'unavailable'],
  [503, 'unavailable'],
  [504, 'timeout'],
]);

/** Statuses after which the same request may succeed. */
const retryable: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/**
 * Tells callers of message handlers what `HttpException`s say, which pipes such as `ValidationPipe` throw
 * and Nest would hide behind "Internal server error": the caller gets a `SlimException` whose details are
 * the body of the exception. HTTP handlers of the same application answer as ever. Made by Nest, as with
 * `@UseFilters(HttpExceptionsFilter)` and `APP_FILTER`, it finds the HTTP adapter; an application that is
 * hybrid and makes it itself gives `app.getHttpAdapter()`.
 */
@Catch(HttpException)
export class HttpExceptionsFilter extends BaseExceptionFilter<HttpException> {
  override catch(exception: HttpException, host: ArgumentsHost): Observable<never> | void {
    if (host.getType() !== 'rpc') return super.catch(exception, host);
    // As the filter of Nest does, so that other transports send no more than this either.
    const body = slimException(exception).getError();
    return throwError(() => body);
  }
}

function slimException(exception: HttpException): SlimException {
  const status = exception.getStatus();
  const body = exception.getResponse();
  return new SlimException({
    code: codes.get(status) ?? (status >= 400 && status < 500 ? 'invalid-argument' : 'internal'),
    message: exception.message,
    retryable: retryable.has(status),
    // A text is the message once more.
    details: typeof body === 'object' ? body : undefined,
  });
}

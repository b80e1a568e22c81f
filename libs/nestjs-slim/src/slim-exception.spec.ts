import { describe, expect, it } from '@jest/globals';
import { RpcException } from '@nestjs/microservices';
import { SlimError } from '@nestjs-slim/core';
import fc from 'fast-check';
import { Payloads } from './payload/payloads.js';
import { SlimException, isExceptionBody, type SlimExceptionDetails } from './slim-exception.js';

const payloads = new Payloads({ codec: undefined, serializer: undefined, deserializer: undefined });

const overTheWire = (reason: unknown): unknown =>
  payloads.decodeError(payloads.encodeError(reason));

describe('SlimException', () => {
  it('is an RpcException with what callers branch on', () => {
    const cause = new Error('a secret');
    const exception = new SlimException({ code: 'full', message: 'no room', cause });
    expect(exception).toBeInstanceOf(RpcException);
    expect(exception).toMatchObject({
      name: 'SlimException',
      code: 'full',
      message: 'no room',
      retryable: false,
      details: undefined,
      cause,
    });
    expect(exception.getError()).toStrictEqual({
      status: 'error',
      code: 'full',
      message: 'no room',
      retryable: false,
    });
  });

  it('is the same after the wire, whatever it is made from', () => {
    const property = fc.property(
      fc.record(
        {
          code: fc.string(),
          message: fc.string(),
          retryable: fc.boolean(),
          details: fc.jsonValue(),
        },
        { requiredKeys: ['code', 'message'] },
      ),
      (given) => {
        const sent = new SlimException({ ...(given as SlimExceptionDetails), cause: 'a secret' });
        for (const reason of [sent, sent.getError()]) {
          const came = overTheWire(reason) as SlimException;
          expect(came).toBeInstanceOf(SlimException);
          expect([came.code, came.message, came.retryable]).toStrictEqual([
            sent.code,
            sent.message,
            sent.retryable,
          ]);
          // JSON has no -0.
          expect(JSON.stringify(came.details)).toBe(JSON.stringify(sent.details));
          expect(came.cause).toBeUndefined();
        }
      },
    );
    fc.assert(property);
  });

  it('is not made of a body that anybody may write', () => {
    const body = new SlimException({ code: 'full', message: 'no room' }).getError();
    expect(isExceptionBody(body)).toBe(true);
    expect(isExceptionBody({ ...(body as object) })).toBe(false);
    expect(overTheWire({ ...(body as object) })).toStrictEqual(body);
  });

  it.each([
    undefined,
    null,
    'text',
    7,
    {},
    { code: 'full' },
    { message: 'no room' },
    { code: 1, message: 'no room' },
    { code: 'full', message: null },
  ])('is not what %p stands for', (body) => {
    expect(SlimException.fromBody(body)).toBeUndefined();
  });

  it('takes nothing but true for retryable', () => {
    const body = { code: 'full', message: 'no room', retryable: 'yes' };
    expect(SlimException.fromBody(body)?.retryable).toBe(false);
  });

  it.each([
    ['backpressure', true],
    ['link-closed', true],
    ['link-failed', true],
    ['no-route', true],
    ['not-delivered', true],
    ['peer-lost', true],
    ['session-closed', true],
    ['timeout', true],
    ['aborted', false],
    ['malformed-frame', false],
    ['message-too-large', false],
    ['identity-rejected', false],
  ] as const)('is what "%s" of the transport becomes, retryable: %p', (code, retryable) => {
    const cause = new Error('a secret');
    const came = overTheWire(new SlimError(code, 'why', { cause }));
    expect(came).toBeInstanceOf(SlimException);
    expect(came).toMatchObject({ code, message: 'why', retryable, details: undefined });
    expect(came).not.toHaveProperty('cause');
  });
});

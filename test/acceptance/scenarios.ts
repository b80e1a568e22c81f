/**
 * What Nest's own tests of its transports show, by family, and what ours adds. Every scenario is played by
 * the spec of its family, over every network that the spec names.
 */
export const families = {
  Sum: [
    'plain result',
    'async result',
    'Observable result',
    'streaming: several values, summed by the client',
    'concurrent: ten requests at once, each with its own answer',
    'pattern not found is an error, not a hang',
    'exception of a handler arrives as the mapped object',
    'exception of a filter arrives as the filter gives it',
    'event notification',
    'event with a second handler',
    'client by useFactory',
    'client by useClass',
    'custom client class that rebuilds RpcException, beside the standard client',
    'headers of the record builder, read in the handler',
    'headers of the record builder on a duplex stream',
  ],
  Broadcast: [
    'one emit reaches two connected servers',
    'wildcard subject is retrievable from the context',
    'shared group delivers once',
    'fan-out: every consumer of the channel gets it',
    'topic wildcard routes and exposes the concrete name',
  ],
  'Disconnected client': [
    'request to an absent peer is mapped to 408',
    'request without a node is mapped to 408',
  ],
  Reconnect: [
    'a connected client that is closed and reconnected streams over the new connection',
    'a connecting client that is closed and reconnected streams over the new connection',
    'late close of the old connection changes nothing',
    'no third connection is opened',
    'retry after a failed connect',
    'a stale failing attempt does not reset a newer connection',
    'events of a replaced connection are ignored',
    'listeners registered with on survive reconnects',
    'recovers however long the node was away',
  ],
  Shutdown: [
    'no connection is left when close() resolves',
    'no handler runs for messages that arrive later',
    'nothing is tracked any more',
    'signal listeners of a connected microservice are removed',
    'a request under way finishes and its last reply is delivered',
  ],
  'Hostile peer': [
    'peer silent in the middle of a message is dropped',
    'slow but progressing peer is not dropped',
    'idle peer is not dropped',
    'peer that never reads replies is bounded',
    '12,000 pipelined frames, and the server still answers',
    'deeply nested pattern does not crash',
  ],
  'Packet metadata': [
    'value of a dispatch hook arrives beside the payload of a request',
    'value of a dispatch hook arrives beside the payload of an event',
    'absent without a hook',
    'hook is called once for each packet, with pattern and data',
  ],
  'Binary payloads': [
    'raw bytes survive',
    'concurrent binary replies reach the right request',
    'bytes that are not UTF-8 are preserved',
  ],
  Streams: [
    '1,000 large messages arrive once each and in order, under back-pressure',
    'client stream with one reply',
    'duplex stream',
    'cancellation is not reported as a failure',
    'call cancelled before its stream starts',
    'custom headers on streams',
  ],
  'Async bootstrap': ['options from DI through inject and useFactory'],
  'Global config': [
    'global guard is called',
    'global filter is called',
    'global interceptor is called',
    'global pipe is called',
  ],
  'Buffered logs': [
    'flushed on init',
    'kept with autoFlushLogs: false',
    'flushed by a hybrid application',
  ],
  'Custom encryption adapter': [
    'encrypts and decrypts exactly twice for each request',
    'every payload on the wire is ciphertext, with no adapter at all',
  ],
  Scopes: [
    'new instance for each message',
    'one instance for each controller dependency',
    'static providers once',
    'durable providers once for each tenant',
    'REQUEST gives pattern, data and context',
    'CONTEXT gives pattern, data and context',
  ],
  Registration: [
    'one addHandler for each pattern',
    'handlers of the same transport only',
    'all handlers without a transport id',
    'only its own with a custom symbol',
    'extras are passed',
    'failures are reported once, of event handlers only',
    'next static handler runs when the current one completes empty: first, middle and last of three',
    'next request-scoped handler runs when the current one completes empty: first, middle and last of three',
    'an event fails when one of its handlers does',
    'failure of a request-scoped handler goes to its filters',
  ],
  NestMicroservice: [
    'strategy is used instead of the factory',
    'strategy from useFactory',
    'listen, unwrap and on delegate',
    'preRequest hook runs before the handler',
    'preRequest hook warns after init',
    'preRequest hook is chainable',
  ],
  ClientProxy: [
    'send is cold and connects on subscribe',
    'emit connects at once',
    'failure to connect surfaces as an error of the stream',
    'pattern or data that is null is rejected',
    'outcomes of a request: error, value, completion',
    'serializeError and serializeResponse are used',
  ],
  Serializers: [
    'request and response go through serializer and deserializer',
    'foreign payload is mapped to pattern and data',
    'custom async serializer and deserializer',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Family = keyof typeof families;

/** A scenario of a family, by its name. */
export type Title<Name extends Family> = (typeof families)[Name][number];

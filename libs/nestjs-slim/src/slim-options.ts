import {
  SlimError,
  SlimName,
  nullId,
  systemClock,
  type Clock,
  type InvitationPolicy,
} from '@nestjs-slim/core';
import type { SlimAppOptions } from '@nestjs-slim/platform-node';
import type { PayloadCodec } from './payload-codec.js';
import { Payloads, type PacketDeserializer, type PacketSerializer } from './payload/payloads.js';
import { environment, type PlaceholderResolver } from './patterns/placeholders.js';
import { noTelemetry, type SlimTelemetry } from './telemetry.js';

/** How a service or client is connected to a SLIM network. */
export interface SlimOptions extends Pick<
  SlimAppOptions,
  'name' | 'identity' | 'node' | 'sessions' | 'backoff' | 'clock' | 'direction' | 'store'
> {
  /** How long a request waits for its first reply; 30,000 unless given, `Infinity` for ever. */
  readonly requestTimeoutMs?: number;
  /** How long to look for somebody who answers to a name; 2,000 unless given. */
  readonly discoveryMs?: number;
  /** End-to-end encryption of the sessions that clients open; on unless turned off. */
  readonly mls?: boolean;
  /** Acknowledged, repeated, ordered sessions; on unless turned off. */
  readonly reliable?: boolean;
  /** How long closing waits for handlers that are at work; 10,000 unless given. */
  readonly drainMs?: number;
  /**
   * Which channels to join when invited: those of participant classes unless given, true for any, a
   * function to decide on each invitation. A class that moderates a channel is in no other of that name.
   */
  readonly acceptChannels?: boolean | InvitationPolicy;
  /** What `${KEY}` in a pattern or the name of a channel stands for; the environment's variable unless given. */
  readonly resolvePlaceholder?: PlaceholderResolver;
  /**
   * How values become bytes; JSON unless given. JSON and bytes are read in any case, and a request in JSON
   * is answered in JSON.
   */
  readonly codec?: PayloadCodec;
  /** Sees what is asked, told and answered before it is encoded, as with Nest's own transports; no errors. */
  readonly serializer?: PacketSerializer;
  /** Sees what is asked, told and answered after it was decoded; no errors. */
  readonly deserializer?: PacketDeserializer;
  /** Watches every message; nobody does unless given. */
  readonly telemetry?: SlimTelemetry;
  /**
   * With how many instances of a name a client has sessions, to share its calls among; 1 unless given,
   * which is always the same instance.
   */
  readonly spread?: number;
  /** How long a client that has several instances goes on before it looks for new ones; 10,000 unless given. */
  readonly rediscoverMs?: number;
}

/** Options that were checked, with every default in place. */
export interface SlimSettings {
  /** What the application object is made from. */
  readonly app: SlimAppOptions;
  readonly name: SlimName;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly discoveryMs: number;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly drainMs: number;
  readonly acceptChannels: boolean | InvitationPolicy;
  readonly resolvePlaceholder: PlaceholderResolver;
  readonly payloads: Payloads;
  readonly telemetry: SlimTelemetry;
  readonly spread: number;
  readonly rediscoverMs: number;
}

/** @throws SlimError `invalid-config`, `invalid-name` */
export function checkOptions(options: SlimOptions): SlimSettings {
  // JavaScript callers and factories give anything.
  const given = options as Partial<SlimOptions> | null | undefined;
  if (!given) throw new SlimError('invalid-config', `expected SLIM options, got ${String(given)}`);
  const { requestTimeoutMs, discoveryMs, mls, reliable, drainMs, ...others } = options;
  const { acceptChannels = false, resolvePlaceholder = environment, ...rest } = others;
  const { codec, serializer, deserializer, telemetry, spread, rediscoverMs, ...app } = rest;
  const { name, identity, node, clock = systemClock } = given;
  if (name === undefined) throw missing('name', 'org/namespace/service');
  if (typeof identity !== 'function') throw missing('identity', 'sharedSecret({ secret })');
  if (!node || (Array.isArray(node) && node.length === 0)) {
    throw missing('node', 'the URL of a node, or a SlimNode of this process');
  }
  return {
    app,
    // An instance has its id from its identity.
    name: ownName(name),
    clock,
    requestTimeoutMs: duration('requestTimeoutMs', requestTimeoutMs, 30_000),
    discoveryMs: duration('discoveryMs', discoveryMs, 2_000),
    mls: mls ?? true,
    reliable: reliable ?? true,
    drainMs: duration('drainMs', drainMs, 10_000),
    acceptChannels,
    resolvePlaceholder,
    payloads: new Payloads({ codec, serializer, deserializer }),
    telemetry: telemetry ?? noTelemetry,
    spread: positive('spread', spread ?? 1),
    rediscoverMs: duration('rediscoverMs', rediscoverMs, 10_000),
  };
}

/** @throws SlimError `invalid-config` */
export function duration(option: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && value >= 0) return value;
  throw new SlimError(
    'invalid-config',
    `${option}: expected milliseconds, 0 or more, got ${String(value)}`,
  );
}

/** @throws SlimError `invalid-config` */
export function positive(option: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new SlimError('invalid-config', `${option}: expected 1 or more, got ${String(value)}`);
}

/** Callers say `name#operation`, so a name with a `#` in it could not be called. */
function ownName(given: SlimName | string): SlimName {
  const name = SlimName.from(given).withId(nullId);
  if (!name.service.includes('#')) return name;
  throw new SlimError('invalid-name', `expected org/namespace/service, got "${name.service}"`);
}

function missing(option: string, expected: string): SlimError {
  return new SlimError('invalid-config', `the SLIM option "${option}" is missing: ${expected}`);
}

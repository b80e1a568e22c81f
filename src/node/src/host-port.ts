import { isIP } from 'node:net';
import { SlimError } from '@nestjs-slim/core';

/** Where to listen: without the brackets of an IPv6 address; port 0 for a free one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What `HOST:PORT` says, with IPv6 hosts in brackets; undefined when it is none. */
export function hostPortOf(text: string): HostPort | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const isHost = bracketed === undefined || isIP(bracketed) === 6;
  if (host === undefined || !isHost || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

/** Reads `HOST:PORT`; `purpose` says in the error what it is for. @throws SlimError `invalid-config` */
export function parseHostPort(text: string, purpose: string): HostPort {
  const address = hostPortOf(text);
  if (address) return address;
  throw new SlimError('invalid-config', `expected HOST:PORT ${purpose}, got "${text}"`);
}

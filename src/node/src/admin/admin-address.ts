import { isIP } from 'node:net';
import { SlimError } from '@nestjs-slim/core';

/** Where the admin port is opened. */
export interface AdminAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

/** Reads `HOST:PORT`, with IPv6 hosts in brackets. @throws SlimError `invalid-config` */
export function parseAdminAddress(text: string): AdminAddress {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const isHost = bracketed === undefined || isIP(bracketed) === 6;
  if (host !== undefined && isHost && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new SlimError('invalid-config', `expected HOST:PORT for the admin port, got "${text}"`);
}

/** Whether only this machine reaches it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The host that a `Host` header names. */
export function hostOf(header: string | undefined): string {
  return (header ?? '')
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

import { parseHostPort, type HostPort } from '../host-port.js';

/** Where a server listens, and what carries its links. */
export type ListenEndpoint =
  | { readonly kind: 'http2'; readonly address: HostPort | { readonly path: string } }
  | {
      readonly kind: 'websocket';
      readonly secure: boolean;
      readonly address: HostPort;
      readonly path: string;
    };

const purpose = 'to listen on';

/**
 * Reads the endpoint of a server: `HOST:PORT`, `ws://HOST:PORT/PATH`, `wss://…` or `unix:///PATH`.
 * @throws SlimError `invalid-config`
 */
export function parseListenEndpoint(text: string): ListenEndpoint {
  const [, unixPath] = /^unix:\/\/(\/.+)$/.exec(text) ?? [];
  if (unixPath !== undefined) return { kind: 'http2', address: { path: unixPath } };
  const [, scheme, address, path = '/'] = /^(wss?):\/\/([^/]+)(\/.*)?$/.exec(text) ?? [];
  if (address === undefined) return { kind: 'http2', address: parseHostPort(text, purpose) };
  return {
    kind: 'websocket',
    secure: scheme === 'wss',
    address: parseHostPort(address, purpose),
    path,
  };
}

const injected = new Set<string>();

/** The injection token of a channel. Asking for it is what makes `SlimModule` provide it. */
export function channelToken(name: string): string {
  injected.add(name);
  return tokenOf(name);
}

/** Every channel that some class asks for, by the token it is injected by. */
export function injectedChannels(): readonly { readonly name: string; readonly token: string }[] {
  return [...injected].map((name) => ({ name, token: tokenOf(name) }));
}

function tokenOf(name: string): string {
  return `nestjs-slim:channel-ref:${name}`;
}

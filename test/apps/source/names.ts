export const names = {
  caller: 'acme/apps/caller',
  greeter: 'acme/apps/greeter',
  room: 'acme/apps/room',
} as const;

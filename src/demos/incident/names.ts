/** The channel, and who takes part in the demo. */
export const room = 'acme/ops/incident-room';

export const names = {
  moderator: 'acme/ops/moderator',
  board: 'acme/ops/board',
  triage: 'acme/ops/triage',
  database: 'acme/ops/database',
  contractor: 'acme/ops/contractor',
  security: 'acme/ops/security',
} as const;

export type Role = keyof typeof names;

/** Those who discuss, and report what they read. */
export const agents: readonly Role[] = ['triage', 'database', 'contractor', 'security'];

/** `triage` of `acme/ops/triage`, with or without the id of an instance. */
export function shortName(name: string): string {
  return name.split('/')[2] ?? name;
}

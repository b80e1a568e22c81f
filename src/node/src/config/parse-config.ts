import type { ConfigIssue } from './config-issue.js';
import { checkConsistency } from './consistency.js';
import { describeIssue } from './describe-issue.js';
import type { NodeConfig } from './node-config.js';
import { prepareTree } from './prepared-tree.js';
import type { ReferenceSources } from './references.js';
import { configFile } from './schema/config-file.js';

/** What a configuration file amounts to. */
export type ConfigResult =
  | {
      readonly kind: 'valid';
      readonly config: NodeConfig;
      /** What is ignored, spelt as it was once, or odd. */
      readonly warnings: readonly ConfigIssue[];
    }
  | { readonly kind: 'invalid'; readonly issues: readonly ConfigIssue[] };

/**
 * Reads the official YAML, today's and the older `pubsub:` style (reference: data plane 6), with our
 * own section `nestjs_slim`. What is unknown or wrong is listed with line and key path; no issue shows a
 * value that stands where secrets do, or that a reference brought.
 */
export function parseConfig(text: string, sources: ReferenceSources): ConfigResult {
  const prepared = prepareTree(text, sources);
  if (prepared.kind === 'unreadable') return invalid(prepared.issues);
  const { tree, refused, ignored } = prepared;
  const parsed = configFile.safeParse(tree.root);
  const isNew = isNotBelow(refused);
  if (!parsed.success) {
    const wrong = parsed.error.issues.flatMap((issue) => describeIssue(issue, tree));
    return invalid([...refused, ...wrong.filter(isNew)]);
  }
  const { errors, warnings } = checkConsistency(parsed.data, tree);
  const issues = [...refused, ...errors.filter(isNew)];
  if (issues.length > 0) return invalid(issues);
  const { services, ...others } = parsed.data;
  const [entry] = Object.entries(services);
  if (!entry)
    return invalid([{ path: 'services', line: undefined, message: 'expected one service' }]);
  const [serviceId, service] = entry;
  return {
    kind: 'valid',
    config: { ...others, serviceId, service },
    warnings: inOrder([...ignored, ...warnings]),
  };
}

function invalid(issues: readonly ConfigIssue[]): ConfigResult {
  return { kind: 'invalid', issues: inOrder(issues) };
}

function inOrder(issues: readonly ConfigIssue[]): ConfigIssue[] {
  return [...issues].sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
}

/** Of a part that is refused as a whole there is nothing more to say. */
function isNotBelow(refused: readonly ConfigIssue[]): (issue: ConfigIssue) => boolean {
  const isBelow = (path: string, whole: string): boolean =>
    path === whole || path.startsWith(`${whole}.`) || path.startsWith(`${whole}[`);
  return ({ path }) => !refused.some((whole) => isBelow(path, whole.path));
}

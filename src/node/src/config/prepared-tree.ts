import type { ConfigIssue } from './config-issue.js';
import { ConfigTree } from './config-tree.js';
import { findNotHonoured } from './not-honoured.js';
import { rewriteOlderSpellings } from './older-spellings.js';
import { resolveReferences, type ReferenceSources } from './references.js';
import { readYaml } from './yaml-tree.js';

/** A file ready to be held against the schema, or why there is nothing to hold. */
export type PreparedTree =
  | { readonly kind: 'unreadable'; readonly issues: readonly ConfigIssue[] }
  | {
      readonly kind: 'prepared';
      readonly tree: ConfigTree;
      /** References without a value, and parts that this node cannot follow. */
      readonly refused: readonly ConfigIssue[];
      /** Parts without effect, and older spellings. */
      readonly ignored: readonly ConfigIssue[];
    };

/** Reads YAML, puts the values of references in, and rewrites older spellings. */
export function prepareTree(text: string, sources: ReferenceSources): PreparedTree {
  const tree = readYaml(text);
  if (!(tree instanceof ConfigTree)) return { kind: 'unreadable', issues: tree };
  const missing = resolveReferences(tree, sources);
  const older = rewriteOlderSpellings(tree);
  const { ignored, refused } = findNotHonoured(tree);
  return {
    kind: 'prepared',
    tree,
    refused: [...missing, ...refused],
    ignored: [...older, ...ignored],
  };
}

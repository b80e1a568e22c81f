export {
  createLog,
  startAdmin,
  type Admin,
  type LinkStatus,
  type Log,
  type NodeStatus,
} from './admin/index.js';
export { formatIssue, type ConfigIssue } from './config/config-issue.js';
export { plainConfig, type NodeConfig } from './config/node-config.js';
export type { ConfigResult } from './config/parse-config.js';
export { checkConfigFile, loadConfigFile } from './config/read-config.js';
export {
  runNode,
  startNode,
  type RunningNode,
  type RunOptions,
  type StartOptions,
} from './daemon/run-node.js';

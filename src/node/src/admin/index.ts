export { startAdmin, type Admin, type AdminOptions } from './start-admin.js';
export { createLog, type Log, type LogOptions } from './log.js';
export { NodeLog } from './node-log.js';
export type { ObservedNode } from './observed-node.js';
export type { LinkStatus, NodeStatus, Page } from './status.js';

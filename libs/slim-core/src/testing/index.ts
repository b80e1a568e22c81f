export { Fabric } from './fabric.js';
export { ForwardingLink } from './forwarding-link.js';
export { LossyLinks, type Faults } from './lossy-link.js';
export { MemoryStore } from './memory-store.js';
export { ManualClock } from './manual-clock.js';
export { seededRandom } from './seeded-random.js';

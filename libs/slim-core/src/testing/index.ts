export { Fabric } from './fabric.js';
export { LossyLinks, type Faults } from './lossy-link.js';
export { ManualClock } from './manual-clock.js';
export { seededRandom } from './seeded-random.js';

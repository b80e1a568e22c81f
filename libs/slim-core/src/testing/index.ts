export { Fabric } from './fabric.js';
export { ManualClock } from './manual-clock.js';

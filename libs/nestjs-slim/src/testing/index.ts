export { ManualClock, type Faults } from '@nestjs-slim/core/testing';
export { SlimFabric, type SlimFabricOptions } from './slim-fabric.js';

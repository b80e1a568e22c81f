import { MemoryStore } from './memory-store.js';
import { stateStoreContract } from './state-store-contract.js';

stateStoreContract('MemoryStore', () => new MemoryStore().source);

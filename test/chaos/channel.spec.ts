import { describe, expect, it } from '@jest/globals';
import { ChaosRun } from './chaos-run.js';

const { CHAOS_SEEDS = '200', CHAOS_FIRST_SEED = '1' } = process.env;
const seeds = Number(CHAOS_SEEDS);
const firstSeed = Number(CHAOS_FIRST_SEED);
const secondsPerSeed = 20;
const maxFailures = 3;

describe('a channel on a network that fails', () => {
  it(
    `agrees and has lost nothing once the network is healed, for ${seeds} seeds from ${firstSeed}`,
    async () => {
      const failures: string[] = [];
      for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
        await new ChaosRun(seed).run().catch((reason: unknown) => {
          failures.push(`seed ${seed}: ${String(reason)}`);
        });
        if (failures.length === maxFailures) break;
      }
      expect(failures).toStrictEqual([]);
    },
    seeds * secondsPerSeed * 1_000,
  );
});

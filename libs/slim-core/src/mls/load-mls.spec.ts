import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { loadMls, MlsPreload } from './load-mls.js';

describe('MlsPreload', () => {
  it('loads nothing in the time that an application needs to start', async () => {
    const clock = new ManualClock();
    const preload = new MlsPreload(clock);
    clock.advance(249);
    expect(clock.pending).toBe(1);
    await preload.close();
    expect(clock.pending).toBe(0);
  });

  it('is closed once what it began to load is there', async () => {
    const clock = new ManualClock();
    const preload = new MlsPreload(clock);
    clock.advance(250);
    await preload.close();
    await preload.close();
    expect((await loadMls()).MlsGroup).toBeDefined();
    expect(clock.pending).toBe(0);
  });
});

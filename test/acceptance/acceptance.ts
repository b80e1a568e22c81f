import { afterAll, afterEach, beforeAll, beforeEach, describe, it, jest } from '@jest/globals';
import { networks, type Network, type NetworkName } from './networks.js';
import { families, type Family, type Title } from './scenarios.js';
import { Stage } from './stage.js';

/** For the longest scenarios on the slowest machines; nothing here waits for time to pass. */
const limitMs = 30_000;

/** How a scenario is played. */
export type Play = (stage: Stage) => Promise<void>;

/** Plays every scenario of a family over each of those networks. */
export function acceptance<Name extends Family>(
  family: Name,
  over: readonly NetworkName[],
  plays: Readonly<Record<Title<Name>, Play>>,
): void {
  jest.setTimeout(limitMs);
  describe.each(over)(`${family}, over %s`, (networkName) => {
    let network: Network;
    let stage: Stage;
    beforeAll(async () => {
      network = await networks[networkName]();
    });
    afterAll(() => network?.stop());
    beforeEach(() => {
      stage = new Stage(network);
    });
    afterEach(() => stage.end());

    const titles: readonly Title<Name>[] = families[family];
    it.each(titles)('%s', (title) => plays[title](stage));
  });
}

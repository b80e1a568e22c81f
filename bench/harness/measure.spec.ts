import { describe, expect, it } from '@jest/globals';
import { LeftOut } from './left-out.mjs';
import { measure } from './measure.mjs';

const setup = (runs: Record<string, (round: number) => number>) => {
  const log: string[] = [];
  const contenders = Object.fromEntries(
    Object.entries(runs).map(([name, run]) => {
      let round = 0;
      return [name, async () => ({ ms: run((round += 1)) })];
    }),
  );
  const watcher = {
    started: (_: unknown, contender: string) => log.push(contender),
    ended: () => log.push('ended'),
    dropped: (_: unknown, contender = 'all') => log.push(`dropped ${contender}`),
  };
  const name = 'waiting';
  const figures = { ms: 'lower' } as const;
  const measured = measure(
    { name, job: 'as long as it takes', figures, baseline: 'theirs', contenders },
    { rounds: 2, watcher },
  );
  return { measured, log };
};

describe('measure', () => {
  it('runs the contenders in turn and keeps one value a round', async () => {
    const { measured, log } = setup({ theirs: (round) => 10 * round, ours: (round) => round });
    expect(await measured).toStrictEqual({
      name: 'waiting',
      job: 'as long as it takes',
      figures: { ms: 'lower' },
      baselines: ['theirs'],
      rounds: 2,
      values: { theirs: { ms: [10, 20] }, ours: { ms: [1, 2] } },
      leftOut: {},
    });
    const round = ['theirs', 'ended', 'ours', 'ended'];
    expect(log).toStrictEqual([...round, ...round]);
  });

  it('lists a contender that is left out with its reason, and does not ask it again', async () => {
    const { measured, log } = setup({
      theirs: () => {
        throw new LeftOut('is not installed');
      },
      ours: (round) => round,
    });
    const { values, leftOut } = await measured;
    expect(values).toStrictEqual({ ours: { ms: [1, 2] } });
    expect(leftOut).toStrictEqual({ theirs: 'is not installed' });
    expect(log).toStrictEqual([
      ...['theirs', 'dropped theirs', 'ended'],
      ...['ours', 'ended', 'ours', 'ended'],
    ]);
  });

  it('fails with the run that fails', async () => {
    const { measured } = setup({
      ours: () => {
        throw new Error('got lost');
      },
    });
    await expect(measured).rejects.toThrow('got lost');
  });

  it('fails when a run leaves out a figure', async () => {
    const { measured } = setup({ ours: () => NaN });
    await expect(measured).rejects.toThrow('expected a number for "ms"');
  });
});

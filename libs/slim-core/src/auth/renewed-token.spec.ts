import { describe, expect, it } from '@jest/globals';
import { SlimError } from '../errors/slim-error.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { RenewedToken, type Grant } from './renewed-token.js';

/** A source whose issuer answers with `t1`, `t2`, … unless it is made to fail. */
function setup(lifeMs = 600_000) {
  const clock = new ManualClock();
  const log: string[] = [];
  const issuer = { isDown: false, asked: 0 };
  const ask = async (): Promise<Grant> => {
    issuer.asked += 1;
    if (issuer.isDown) throw new SlimError('link-failed', 'down');
    return Promise.resolve({ token: `t${issuer.asked}`, lifeMs });
  };
  const source = new RenewedToken(ask, { clock, close: () => log.push('closed') });
  return { clock, log, issuer, source };
}

describe('a renewed token', () => {
  it('is asked for once by all who need it then, and kept', async () => {
    const { clock, issuer, source } = setup();
    expect(await Promise.all([source.token(), source.token()])).toStrictEqual(['t1', 't1']);
    clock.advance(539_999);
    expect(source.token()).toBe('t1');
    expect(issuer.asked).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('is handed out near its end, while the next one is asked for', async () => {
    const { clock, issuer, source } = setup();
    await source.token();
    clock.advance(540_000);
    expect([source.token(), source.token()]).toStrictEqual(['t1', 't1']);
    await turns();
    expect(source.token()).toBe('t2');
    expect(issuer.asked).toBe(2);
  });

  it('with a short life is renewed when two thirds of it are over', async () => {
    const { clock, source } = setup(30_000);
    await source.token();
    clock.advance(20_000);
    expect(source.token()).toBe('t1');
    await turns();
    expect(source.token()).toBe('t2');
  });

  it('stays in use while the issuer is down, which is asked every 10 s, until it expires', async () => {
    const { clock, issuer, source } = setup();
    await source.token();
    issuer.isDown = true;
    clock.advance(540_000);
    for (let count = 0; count < 3; count += 1) {
      expect(source.token()).toBe('t1');
      await turns();
    }
    expect(issuer.asked).toBe(2);
    clock.advance(10_000);
    expect(source.token()).toBe('t1');
    await turns();
    expect(issuer.asked).toBe(3);
    clock.advance(50_000);
    await expect(source.token()).rejects.toMatchObject({ code: 'link-failed' });
    issuer.isDown = false;
    expect(await source.token()).toBe('t5');
  });

  it('is renewed by itself while somebody listens, who is told', async () => {
    const { clock, log, issuer, source } = setup();
    const stop = source.onChange(() => {
      const token = source.token();
      log.push(typeof token === 'string' ? token : 'not at hand');
    });
    expect(clock.pending).toBe(0);
    await source.token();
    clock.advance(540_000);
    await turns();
    issuer.isDown = true;
    clock.advance(540_000);
    await turns();
    issuer.isDown = false;
    clock.advance(10_000);
    await turns();
    expect(log).toStrictEqual(['t2', 't4']);
    stop();
    expect(clock.pending).toBe(0);
  });

  it('leaves nothing behind when it is closed, even while it is asked for', async () => {
    const { clock, log, source } = setup();
    source.onChange(() => log.push('changed'));
    const asking = source.token();
    source.close();
    source.close();
    await asking;
    await turns();
    expect(log).toStrictEqual(['closed', 'closed']);
    expect(clock.pending).toBe(0);
  });

  it('of a very long life does not wait longer than timers can', async () => {
    const { clock, issuer, source } = setup(1e12);
    source.onChange(() => undefined);
    await source.token();
    await turns();
    clock.advance(86_399_999);
    expect(issuer.asked).toBe(1);
    clock.advance(1);
    expect(issuer.asked).toBe(2);
  });
});

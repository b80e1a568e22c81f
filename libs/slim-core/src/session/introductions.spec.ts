import { describe, expect, it } from '@jest/globals';
import { Introductions } from './introductions.js';

describe('Introductions', () => {
  it('holds nothing up for receivers that are known', () => {
    const introductions = new Introductions();
    introductions.begin(['alice']);
    expect(introductions.isBusy).toBe(false);
  });

  it('holds everything up until each new receiver has its first message', () => {
    const introductions = new Introductions();
    introductions.expect('alice');
    introductions.expect('bob');
    introductions.begin(['alice', 'bob', 'carol']);
    expect(introductions.isBusy).toBe(true);
    expect(introductions.met('alice')).toBe(false);
    expect(introductions.met('carol')).toBe(false);
    expect(introductions.met('bob')).toBe(true);
    introductions.begin(['alice', 'bob']);
    expect(introductions.isBusy).toBe(false);
  });

  it('does not wait for a new receiver that a message does not go to', () => {
    const introductions = new Introductions();
    introductions.expect('alice');
    introductions.begin(['bob']);
    expect(introductions.isBusy).toBe(false);
    introductions.begin(['alice', 'bob']);
    expect(introductions.isBusy).toBe(true);
  });
});

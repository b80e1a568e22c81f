import { programs } from '../harness/programs.mjs';
import { measured, warmUp } from './slim-pair.mjs';

/** @typedef {import('../harness/measure.mjs').Case} Case */
/** @typedef {import('../harness/measure.mjs').Run} Run */

const size = 256;

/** What MLS adds to the signature that every message of it has. @type {Case[]} */
export const sealingCases = [
  {
    name: 'sealing and opening an MLS message',
    job: `${size} bytes in a group of two, in one process; the baseline signs and verifies as many, and nothing else`,
    figures: { 'CPU us/message': 'lower' },
    baseline: 'signature alone',
    contenders: { 'signature alone': sealing('signature'), ours: sealing('message') },
  },
];

/**
 * @param {string} job
 * @returns {Run}
 */
function sealing(job) {
  return async (start) => {
    const worker = start('worker', programs.sealing);
    await worker.call('work', { job, spell: warmUp, size });
    const before = await worker.cpuMs();
    const { count } = await worker.call('work', { job, spell: measured, size });
    return { 'CPU us/message': (((await worker.cpuMs()) - before) / count) * 1000 };
  };
}

// Needs `npm run build`, and `npm run install:interop` for the official contenders.
//
// npm run bench -- [--only PATTERN] [--rounds N] [--json FILE] [--write] [--profile FOLDER]
//
//   --only      cases whose name matches this regular expression
//   --rounds    how often every contender of a case runs; 5 unless given
//   --json      writes every figure of every round
//   --write     writes bench/RESULTS.md; only for a run of all cases
//   --profile   leaves a CPU profile of every process there; bench/profile.mjs sums them up

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { describeMachine } from './harness/machine.mjs';
import { measure } from './harness/measure.mjs';
import { showProgress } from './harness/progress.mjs';
import { asText } from './harness/report.mjs';
import { resultsDocument } from './harness/results-document.mjs';

const options = parseOptions();
const picked = cases.filter(({ name }) => options.only.test(name));
if (picked.length === 0) {
  throw new Error(
    `no case matches ${options.only}; there are:\n${cases.map(({ name }) => name).join('\n')}`,
  );
}

const machine = describeMachine();
const results = [];
for (const benchCase of picked) {
  try {
    const measured = await measure(benchCase, { ...options, onRun: showProgress });
    results.push(measured);
    showProgress('');
    console.log(asText(measured));
  } catch (reason) {
    // The figures of a case that is wrong once are worth nothing; the other cases still are.
    showProgress('');
    console.error(`${benchCase.name}: FAILED\n`, reason);
    process.exitCode = 1;
  }
}

if (options.json) {
  const figures = results.map(({ case: { name, job, baseline }, values }) => ({
    name,
    job,
    baseline,
    values,
  }));
  writeFileSync(
    options.json,
    `${JSON.stringify({ machine, rounds: options.rounds, cases: figures }, undefined, 2)}\n`,
  );
}
if (options.write && process.exitCode) {
  console.error('RESULTS.md was not written: a case failed.');
} else if (options.write) {
  const { rounds } = options;
  writeFileSync(
    new URL('RESULTS.md', import.meta.url),
    resultsDocument({ machine, rounds, results }),
  );
}

function parseOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`expected a number of rounds, got "${values.rounds}"`);
  }
  if (values.write && values.only) {
    throw new Error('--write needs all cases, so it excludes --only');
  }
  const { json, write, profile: profileFolder } = values;
  return {
    rounds,
    only: new RegExp(values.only),
    json,
    write,
    ...(profileFolder && { profileFolder }),
  };
}

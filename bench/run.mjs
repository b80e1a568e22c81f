// Needs `npm run build`, `npm run install:interop` for the official contenders and
// `npm run install:bench` for the servers of other transports.
//
// npm run bench -- [--only PATTERN] [--rounds N] [--json FILE] [--profile FOLDER]
//                  [--write] [--from FILE...]
//
//   --only      cases whose name matches this regular expression
//   --rounds    how often every contender of a case runs; 5 unless given
//   --json      writes every figure of every round, after every case
//   --profile   leaves a CPU profile of every process there; bench/profile.mjs sums them up
//   --write     writes bench/RESULTS.md, a line of bench/history.jsonl and the charts; needs all cases
//   --from      runs nothing, but takes results that --json wrote on this machine: a long bench in
//               parts. Of a case that is in several files the last one counts

import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { goals } from './goals.mjs';
import { describeCommit } from './harness/commit.mjs';
import { describeMachine } from './harness/machine.mjs';
import { measure } from './harness/measure.mjs';
import { Progress } from './harness/progress.mjs';
import { mergeRuns, readRun, writeRun } from './report/bench-run.mjs';
import { caseAsText } from './report/case-report.mjs';
import { checkGoals } from './report/goal.mjs';
import { writeReports } from './report/write-reports.mjs';

const options = parseOptions();
checkGoals(goals, cases);
const run = options.from.length > 0 ? mergeRuns(options.from.map(readRun)) : await runCases();
if (options.from.length > 0) {
  for (const result of run.cases) console.log(caseAsText(result));
  if (options.json) writeRun(options.json, run);
}
if (options.write && process.exitCode) {
  console.error('Nothing was written: a case failed.');
} else if (options.write) {
  await writeReports(run);
}

async function runCases() {
  const picked = cases.filter(({ name }) => options.only.test(name));
  if (picked.length === 0) {
    throw new Error(
      `no case matches ${options.only}; there are:\n${cases.map(({ name }) => name).join('\n')}`,
    );
  }
  const environment = { machine: describeMachine(), commit: describeCommit() };
  const results = [];
  const progress = new Progress(picked, options.rounds);
  for (const benchCase of picked) {
    progress.beginCase(benchCase);
    try {
      const result = await measure(benchCase, { ...options, watcher: progress });
      results.push(result);
      progress.clear();
      console.log(caseAsText(result));
      if (options.json) writeRun(options.json, { ...environment, cases: results });
    } catch (reason) {
      // The figures of a case that is wrong once are worth nothing; the other cases still are.
      progress.dropped(benchCase);
      progress.clear();
      console.error(`${benchCase.name}: FAILED\n`, reason);
      process.exitCode = 1;
    }
  }
  return { ...environment, cases: results };
}

function parseOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'string' },
      profile: { type: 'string' },
      write: { type: 'boolean', default: false },
      from: { type: 'string', multiple: true, default: [] },
    },
  });
  const { only, json, write, profile: profileFolder } = values;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`expected a number of rounds, got "${values.rounds}"`);
  }
  if (positionals.length > 0 && values.from.length === 0) {
    throw new Error(`expected options, got "${positionals[0]}"`);
  }
  if (write && only) throw new Error('--write needs all cases, so it excludes --only');
  return {
    rounds,
    only: new RegExp(only),
    json,
    write,
    from: [...values.from, ...positionals],
    ...(profileFolder && { profileFolder }),
  };
}

import { parseArgs } from 'node:util';
import { broken, figures, table } from './report.js';
import { soak } from './soak.js';
import { judge } from './verdict.js';

// npm run soak [-- --minutes 10] [--seed N] [--only FAULT,FAULT] [--logs FOLDER] [--ours-only] [--quiet]

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    logs: { type: 'string' },
    'ours-only': { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  throw new Error(`expected --minutes above 0 and a whole --seed, got ${JSON.stringify(values)}`);
}

const startMs = Date.now();
const note = (what: string): void => {
  if (values.quiet) return;
  console.error(`${((Date.now() - startMs) / 1_000).toFixed(1).padStart(7)} ${what}`);
};

note(`${minutes} minutes, seed ${seed}`);
const result = await soak({
  seconds: minutes * 60,
  seed,
  note,
  only: values.only?.split(',') ?? [],
  logs: values.logs,
  oursOnly: values['ours-only'],
});
const verdict = judge(result);
const faults = broken(verdict);
console.log(table(result, verdict));
if (faults.length > 0) console.error(result.description);
for (const one of faults) console.error(`BROKEN (seed ${seed}) ${one}`);
const seconds = Math.round((Date.now() - startMs) / 1_000);
console.log(JSON.stringify({ event: 'soak', seed, minutes, seconds, ...figures(result, verdict) }));
process.exitCode = faults.length === 0 ? 0 : 1;

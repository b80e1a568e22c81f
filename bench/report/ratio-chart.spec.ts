import { describe, expect, it } from '@jest/globals';
import { fakeResult } from './fake-result.mjs';
import { ratioChart } from './ratio-chart.mjs';

const bar = (figure: string) => ({
  label: figure,
  case: 'shouting',
  contender: 'ours',
  baseline: 'theirs',
  figure,
});
const groups = [
  { title: 'all', bars: [bar('shouts/s'), bar('p50 ms'), bar('p99 ms')] },
  { title: 'none', bars: [bar('p99 ms')] },
];

describe('ratioChart', () => {
  it('has the bars that were measured', () => {
    expect(ratioChart(groups, [fakeResult()])).toMatchObject({
      vconcat: [
        {
          title: { text: 'all' },
          data: {
            values: [
              { label: 'shouts/s', times: 1, text: '1.0 ×' },
              { label: 'p50 ms', times: 2, text: '2.0 ×' },
            ],
          },
        },
      ],
    });
  });

  it('is none when nothing was measured', () => {
    expect(ratioChart(groups, [])).toBeUndefined();
  });
});

/** @typedef {import('./report/ratio-chart.mjs').Bar} Bar */

const sessions = [
  'unreliable, MLS off',
  'unreliable, MLS on',
  'reliable, MLS off',
  'reliable, MLS on',
];
const nestPeers = ['Nest NATS', 'Nest gRPC', 'Nest Redis', 'Nest TCP'];

/**
 * @param {string} mode
 * @returns {Bar}
 */
const oneWay = (mode) => ({
  label: `one-way, ${mode}`,
  case: `one-way, ${mode}`,
  contender: 'ours',
  baseline: 'official bindings',
  figure: 'messages/s',
});

/**
 * @param {string} mode
 * @returns {Bar}
 */
const roundTrip = (mode) => ({
  label: `round trip, ${mode}`,
  case: `round trip, ${mode}`,
  contender: 'ours',
  baseline: 'official bindings',
  figure: 'p50 ms',
});

/**
 * @param {string} contender
 * @returns {Bar[]}
 */
const nestRequests = (contender) =>
  nestPeers.map((baseline) => ({
    label: baseline,
    case: 'Nest request/response, 64 in flight, 128 B',
    contender,
    baseline,
    figure: 'requests/s',
  }));

/** What the README's chart shows. @type {readonly import('./report/ratio-chart.mjs').BarGroup[]} */
export const chartBars = [
  {
    title: 'Against the official Node.js bindings: messages per second, and time of a round trip',
    bars: [
      ...sessions.map(oneWay),
      ...sessions.filter((mode) => mode.startsWith('reliable')).map(roundTrip),
    ],
  },
  {
    title: 'Against built-in Nest transports: requests per second, 64 in flight, MLS off',
    bars: nestRequests('ours, MLS off'),
  },
  {
    title: 'The same with MLS on: end-to-end encryption, which none of the others has',
    bars: nestRequests('ours, MLS on'),
  },
];

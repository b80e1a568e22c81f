import { fanOutCases } from './cases/fan-out.mjs';
import { inviteCases } from './cases/invite.mjs';
import { nestRequestCases } from './cases/nest-requests.mjs';
import { nodeForwardingCases } from './cases/node-forwarding.mjs';
import { nodeMemoryCases } from './cases/node-memory.mjs';
import { oneWayCases } from './cases/one-way.mjs';
import { roundTripCases } from './cases/round-trip.mjs';
import { sealingCases } from './cases/sealing.mjs';
import { sessionMemoryCases } from './cases/session-memory.mjs';
import { sessionSetUpCases } from './cases/session-set-up.mjs';
import { startUpCases } from './cases/start-up.mjs';

/** Everything that is measured, in the order it runs. @type {import('./harness/measure.mjs').Case[]} */
export const cases = [
  ...nestRequestCases,
  ...oneWayCases,
  ...roundTripCases,
  ...sealingCases,
  ...fanOutCases,
  ...sessionSetUpCases,
  ...inviteCases,
  ...nodeForwardingCases,
  ...sessionMemoryCases,
  ...nodeMemoryCases,
  ...startUpCases,
];

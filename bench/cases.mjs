import { nestRequestCases } from './cases/nest-requests.mjs';
import { oneWayCases } from './cases/one-way.mjs';
import { roundTripCases } from './cases/round-trip.mjs';

/** Everything that is measured, in the order it runs. @type {import('./harness/measure.mjs').Case[]} */
export const cases = [...nestRequestCases, ...oneWayCases, ...roundTripCases];

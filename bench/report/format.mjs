/**
 * Three digits that count.
 * @param {number} value
 */
export const number = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });

/**
 * A ratio, such as "1.3 x"; a dash for none.
 * @param {number | undefined} ratio
 */
export const times = (ratio) => (ratio === undefined ? '–' : `${number(ratio)} x`);

/**
 * A slope as a power of n, such as "n^0.97".
 * @param {number} exponent
 */
export const power = (exponent) => `n^${Math.round(exponent * 100) / 100 || 0}`;

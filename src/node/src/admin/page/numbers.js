const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** @param {number} count */
export function countText(count) {
  return whole.format(count);
}

/** A rate: small ones with a tenth, since 0 and 0.3 are not the same. @param {number | undefined} rate */
export function rateText(rate) {
  if (rate === undefined) return '–';
  return rate === 0 || rate >= 10 ? whole.format(rate) : tenth.format(rate);
}

/** @param {number} bytes */
export function bytesText(bytes) {
  const power = bytes < 1 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? whole.format(value) : tenth.format(value)} ${byteUnits[power]}`;
}

/** The two largest units. @param {number} ms */
export function durationText(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The largest unit alone, for columns. @param {number} ms */
export function shortDurationText(ms) {
  const [value, unit] = durationText(ms).split(' ');
  return `${value} ${unit}`;
}

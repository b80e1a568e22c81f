const prefixes = ['', 'k', 'M', 'G', 'T'];

/** At most five characters, so that columns stay where they are: `0`, `0.3`, `12`, `1.2k`, `340M`. */
export function shortCount(count: number): string {
  if (count < 10 && !Number.isInteger(count)) return count.toFixed(1);
  let value = Math.round(count);
  let power = 0;
  while (value >= 999.5 && power < prefixes.length - 1) {
    value /= 1_000;
    power += 1;
  }
  return `${power > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}${prefixes[power]}`;
}

/** How long something has been there, in its two largest units: `42s`, `3m05s`, `2h14m`, `9d03h`. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

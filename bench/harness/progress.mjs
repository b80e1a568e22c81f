/**
 * Shows what is being done on one line that the next call replaces; on a terminal only.
 * @param {string} what empty to clear the line
 */
export function showProgress(what) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}

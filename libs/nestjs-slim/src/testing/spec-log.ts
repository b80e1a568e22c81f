/** What handlers of a spec did, for the spec to wait for. */
export class Log {
  readonly lines: string[] = [];
  private wake: () => void = () => undefined;

  add(line: string): void {
    this.lines.push(line);
    this.wake();
  }

  clear(): void {
    this.lines.length = 0;
  }

  /** Settles when each line is there. The test's own time limit bounds it; what came shows in `lines`. */
  async has(...wanted: readonly string[]): Promise<void> {
    while (!wanted.every((line) => this.lines.includes(line))) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

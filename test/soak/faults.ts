import { setTimeout } from 'node:timers/promises';
import type { Crew } from './crew.js';
import { harm } from './hostile.js';
import type { Network } from './network/network.js';

/** What can go wrong, and how often. */
type Fault = readonly [name: string, weight: number, happen: () => Promise<unknown>];

const strangers = 14;
const settleMs = 2_000;

/** Makes things go wrong as a seed says: one with the nodes at a time, and one with everything else. */
export class Faults {
  /** How many of each there were. */
  readonly counts: Record<string, number> = {};
  /** What a fault showed that must not be. */
  readonly wrong: string[] = [];
  readonly #network: Network;
  readonly #crew: Crew;
  readonly #random: () => number;
  readonly #note: (what: string) => void;
  readonly #only: readonly string[];
  #restored = 0;

  constructor(parts: {
    readonly network: Network;
    readonly crew: Crew;
    readonly random: () => number;
    readonly note: (what: string) => void;
    readonly only: readonly string[];
  }) {
    this.#network = parts.network;
    this.#crew = parts.crew;
    this.#random = parts.random;
    this.#note = parts.note;
    this.#only = parts.only;
  }

  /** Starts of the guest that were in the channel at once, by what they had kept. */
  get restored(): number {
    return this.#restored;
  }

  /** Goes on until the signal; all that was broken is whole again when it settles. */
  async run(signal: AbortSignal): Promise<void> {
    const only = this.#only;
    const isWanted = ([name]: Fault): boolean =>
      only.length === 0 || only.some((words) => name.includes(words));
    const nodes = this.#ofNodes().filter(isWanted);
    const others = this.#ofOthers().filter(isWanted);
    await Promise.all([this.#lane(nodes, 6_000, signal), this.#lane(others, 2_000, signal)]);
  }

  async #lane(faults: readonly Fault[], mostPauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && faults.length > 0) {
      const [name, , happen] = this.#choose(faults);
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      try {
        this.#note(`begins: ${name}`);
        await happen();
        this.#note(`over:   ${name}`);
      } catch (reason) {
        this.wrong.push(`${name}: ${String(reason)}`);
        return;
      }
      await setTimeout(mostPauseMs * (0.5 + this.#random() / 2));
    }
  }

  #choose(faults: readonly Fault[]): Fault {
    const total = faults.reduce((sum, [, weight]) => sum + weight, 0);
    let at = this.#random() * total;
    const found = faults.find(([, weight]) => (at -= weight) < 0) ?? faults[0];
    if (!found) throw new Error('expected faults');
    return found;
  }

  #ofNodes(): Fault[] {
    const faults: Fault[] = [
      ['node drained by SIGTERM and restarted', 2, () => this.#restartNode('SIGTERM')],
      ['node killed and restarted', 2, () => this.#restartNode('SIGKILL')],
      [
        'node stopped for a while (half-open)',
        1,
        () => this.#freeze(this.#pick(this.#network.nodes)),
      ],
    ];
    const { official } = this.#network;
    if (official) faults.push(['official node killed and restarted', 1, () => official.crash()]);
    return faults;
  }

  #ofOthers(): Fault[] {
    const { gates } = this.#network;
    return [
      ['links cut', 4, async () => Promise.resolve(this.#pick(gates).cut())],
      ['links held up (half-open)', 2, () => this.#hold()],
      ['links lose, repeat and reorder', 3, () => this.#lossy()],
      ['hostile connections', 2, () => this.#harm()],
      ['service drained by SIGTERM and replaced', 1, () => this.#replaceService()],
      [
        'service stopped for a while',
        1,
        () => this.#freeze(this.#pick(this.#crew.services).process),
      ],
      ['member killed and restarted', 1, () => this.#restartGuest()],
      ['slow reader under a flood', 2, () => this.#slowReader()],
    ];
  }

  async #restartNode(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const node = this.#pick(this.#network.nodes);
    this.#note(`${signal} for node ${node.name}`);
    await node.read();
    const how = await node.end(signal);
    const expected = signal === 'SIGTERM' ? '0' : signal;
    if (how !== expected) this.wrong.push(`node ${node.name} ended with ${how}:\n${node.log}`);
    await node.start();
    await setTimeout(settleMs);
  }

  async #freeze(one: { signal(signal: NodeJS.Signals): void }): Promise<void> {
    one.signal('SIGSTOP');
    await setTimeout(1_000 + this.#random() * 2_000);
    one.signal('SIGCONT');
  }

  async #hold(): Promise<void> {
    const gate = this.#pick(this.#network.gates);
    gate.hold();
    await setTimeout(500 + this.#random() * 3_500);
    gate.release();
  }

  async #lossy(): Promise<void> {
    const [drop, duplicate, delay] = [this.#random(), this.#random(), this.#random()];
    const faults = {
      ...{ drop: drop * 0.15, duplicate: duplicate * 0.15, delay: delay * 0.3 },
      maxDelayMs: 200,
    };
    await this.#crew.room.call('lossy', { seconds: 2 + this.#random() * 3, faults });
  }

  async #harm(): Promise<void> {
    const count = await harm(this.#pick(this.#network.ports), strangers, this.#random);
    this.counts['hostile connections'] = (this.counts['hostile connections'] ?? 0) + count - 1;
  }

  async #replaceService(): Promise<void> {
    await this.#crew.addService();
    const how = await this.#crew.endService();
    if (how !== '0') this.wrong.push(`a service ended with ${how} after SIGTERM`);
  }

  async #restartGuest(): Promise<void> {
    await this.#crew.killGuest();
    if (await this.#crew.startGuest()) this.#restored += 1;
    else await this.#crew.room.call('guestIsNew', {});
  }

  async #slowReader(): Promise<void> {
    const seconds = 3 + this.#random() * 2;
    const flood = this.#crew.caller.call('flood', { seconds });
    await setTimeout(500);
    await this.#freeze(this.#crew.guest);
    await flood;
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('expected something to choose from');
    return item;
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandProcess } from '../support/command-process.js';
import type { Network } from './network/network.js';
import { party } from './network/places.js';
import type { CallOutcome } from './parties/call-log.js';
import type { RoomOutcome } from './parties/room-outcome.js';

const startMs = 60_000;
const finishMs = 180_000;

interface Instance {
  readonly subject: string;
  readonly process: CommandProcess;
}

/** The applications of the soak, each in a process of its own: two instances of a service, callers, a channel and its guest. */
export class Crew {
  readonly caller = new CommandProcess(party('caller'));
  readonly room = new CommandProcess(party('room'));
  readonly services: Instance[] = [];
  readonly #network: Network;
  readonly #folder: string;
  readonly #files: string[] = [];
  /** Those that are being ended on purpose. */
  readonly #ending = new Set<CommandProcess>();
  readonly #crashes: string[] = [];
  #guest: CommandProcess | undefined;
  #guests = 0;

  private constructor(network: Network, folder: string) {
    this.#network = network;
    this.#folder = folder;
    this.#guard('caller', this.caller);
    this.#guard('room', this.room);
  }

  static async start(network: Network, folder: string, seed: number): Promise<Crew> {
    const crew = new Crew(network, folder);
    try {
      const { keys, urls } = network;
      const { plain, tls, websocket } = urls;
      await Promise.all([crew.addService(), crew.addService()]);
      await crew.startGuest();
      const ways = { nodes: tls, plainNodes: websocket, keys };
      await Promise.all([
        crew.caller.call('start', ways, startMs),
        crew.room.call(
          'start',
          { nodes: plain, keys, seed, file: join(folder, 'room.log') },
          startMs,
        ),
      ]);
      return crew;
    } catch (reason) {
      await crew.stop();
      throw reason;
    }
  }

  get guest(): CommandProcess {
    if (!this.#guest) throw new Error('the guest was not started');
    return this.#guest;
  }

  /** Every process that runs, by name. */
  get processes(): readonly (readonly [name: string, process: CommandProcess])[] {
    return [
      ['caller', this.caller],
      ['channel', this.room],
      ['guest', this.guest],
      ...this.services.map(({ process }) => ['service', process] as const),
    ];
  }

  /** Processes that ended when nobody had told them to. */
  get crashes(): readonly string[] {
    return this.#crashes;
  }

  async addService(): Promise<void> {
    const subject = `sums-${this.#files.length}`;
    const file = join(this.#folder, `${subject}.log`);
    this.#files.push(file);
    const started = new CommandProcess(party('service'));
    this.#guard(subject, started);
    const { keys, urls } = this.#network;
    // Every second one is at the last node, which is the official one where there is one.
    const nodes = this.#files.length % 2 === 0 ? urls.plain : urls.plain.toReversed();
    await started.call('start', { subject, nodes, keys, file }, startMs);
    this.services.push({ subject, process: started });
  }

  /** The oldest instance is told to stop; answers how it ended. */
  async endService(): Promise<string> {
    const [oldest] = this.services.splice(0, 1);
    if (!oldest) throw new Error('no service is left');
    this.#ending.add(oldest.process);
    oldest.process.signal('SIGTERM');
    return oldest.process.exit;
  }

  /** Answers whether it is in the channel already, as it was before it was killed. */
  async startGuest(): Promise<boolean> {
    const label = `guest-${(this.#guests += 1)}`;
    const started = new CommandProcess(party('guest'));
    this.#guard(label, started);
    this.#guest = started;
    const { keys, urls } = this.#network;
    const file = join(this.#folder, 'guest.log');
    const store = join(this.#folder, 'guest.db');
    const args = { label, file, store, keys, nodes: urls.websocket };
    const { restored } = (await started.call('start', args, startMs)) as { restored: number };
    return restored > 0;
  }

  /** As in a crash, at any point of what it does. */
  async killGuest(): Promise<void> {
    this.#ending.add(this.guest);
    await this.guest.kill();
  }

  /** Ends the load; what was begun is waited for. */
  async finish(): Promise<{ readonly calls: readonly CallOutcome[]; readonly room: RoomOutcome }> {
    await this.guest.call('quiet', {}, startMs);
    const [{ logs }, room] = (await Promise.all([
      this.caller.call('finish', {}, finishMs),
      this.room.call('finish', {}, finishMs),
    ])) as [{ logs: CallOutcome[] }, RoomOutcome];
    return { calls: logs, room };
  }

  /** What the instances of the service handled, line by line, instance by instance. */
  get handled(): readonly (readonly string[])[] {
    return this.#files.map(lines);
  }

  get guestLines(): readonly string[] {
    return lines(join(this.#folder, 'guest.log'));
  }

  async stop(): Promise<void> {
    const all = [this.caller, this.room, ...this.services.map(({ process }) => process)];
    if (this.#guest) all.push(this.#guest);
    for (const one of all) {
      this.#ending.add(one);
      one.signal('SIGCONT');
      one.signal('SIGTERM');
    }
    await Promise.all(all.map((one) => one.stop()));
  }

  #guard(name: string, started: CommandProcess): void {
    void started.exit.then((how) => {
      if (!this.#ending.has(started)) this.#crashes.push(`${name} ${how}:\n${started.log}`);
    });
  }
}

function lines(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

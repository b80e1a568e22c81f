import { existsSync } from 'node:fs';
import { CommandProcess } from '../../support/command-process.js';
import { host, inProject } from './places.js';

const program = inProject('test/interop/native-peer.mjs');
const bindings = inProject('test/interop/node_modules/@agntcy/slim-bindings');

interface Options {
  readonly port: number;
  /** Nodes that it dials as a replica of theirs. */
  readonly urls: readonly string[];
}

/** The official implementation as a replica, in a process of its own. */
export class OfficialNode {
  readonly #options: Options;
  #process: CommandProcess;

  private constructor(options: Options, process: CommandProcess) {
    this.#options = options;
    this.#process = process;
  }

  /** Undefined where the official package is not installed. */
  static async start(options: Options): Promise<OfficialNode | undefined> {
    if (!existsSync(bindings)) return undefined;
    return new OfficialNode(options, await launch(options));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ends as in a crash, and starts again at the same address. */
  async crash(): Promise<void> {
    await this.#process.kill();
    this.#process = await launch(this.#options);
  }

  end(): Promise<void> {
    return this.#process.stop();
  }
}

async function launch({ port, urls }: Options): Promise<CommandProcess> {
  const started = new CommandProcess(program);
  const servers = [{ endpoint: `${host}:${port}`, tls: { insecure: true } }];
  const clients = urls.map((endpoint) => ({
    ...{ endpoint, connection_type: 'peer' },
    tls: { insecure: true },
  }));
  const service = { dataplane: { servers, clients } };
  try {
    await started.call('configuredNode', { config: { services: { 'slim/0': service } } }, 20_000);
    return started;
  } catch (reason) {
    await started.kill();
    throw reason;
  }
}

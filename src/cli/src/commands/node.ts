import {
  loadConfigFile,
  plainConfig,
  runNode,
  type ConfigIssue,
  type NodeConfig,
} from '@nestjs-slim/node';
import { parseCommandLine, type CommandLine } from '../command-line.js';
import { print } from '../output.js';

const defaultListen = '127.0.0.1:46357';

/**
 * `slim node [--config FILE] [--listen HOST:PORT] [--admin HOST:PORT]`: runs a routing node until it is
 * told to stop, then drains it.
 */
export async function node(words: readonly string[], stop: AbortSignal): Promise<void> {
  const options = {
    config: { type: 'string' },
    listen: { type: 'string' },
    admin: { type: 'string' },
  } as const;
  const line = parseCommandLine(words, options, 'none');
  const { config, warnings } = await configOf(line);
  let url: string | undefined;
  await runNode(withAdmin(config, line.text('admin')), {
    ...{ warnings, stop },
    onReady: ({ urls, adminUrl: admin }) => {
      [url] = urls;
      print('ready', {
        url,
        ...(urls.length > 1 && { urls }),
        ...(admin !== undefined && { admin }),
      });
    },
  });
  print('closed', { url });
}

interface Loaded {
  readonly config: NodeConfig;
  readonly warnings: readonly ConfigIssue[];
}

async function configOf(line: CommandLine): Promise<Loaded> {
  const [file, listen] = [line.text('config'), line.text('listen')];
  if (file === undefined) return { config: plainConfig(listen ?? defaultListen), warnings: [] };
  const loaded = await loadConfigFile(file);
  return listen === undefined ? loaded : { ...loaded, config: listeningAt(loaded.config, listen) };
}

/** The first server listens elsewhere, and is otherwise as the file says. */
function listeningAt(config: NodeConfig, endpoint: string): NodeConfig {
  const { dataplane } = config.service;
  const [first = { tls: { insecure: true } }, ...others] = dataplane?.servers ?? [];
  const servers = [{ ...first, endpoint }, ...others];
  return { ...config, service: { ...config.service, dataplane: { ...dataplane, servers } } };
}

function withAdmin(config: NodeConfig, endpoint: string | undefined): NodeConfig {
  if (endpoint === undefined) return config;
  return { ...config, nestjs_slim: { ...config.nestjs_slim, admin: { endpoint } } };
}

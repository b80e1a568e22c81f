// Runs a server of another make as a process below this one, so that it ends with the run as all do.
//   node broker.mjs nats|redis

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { brokerServers, findServer } from '../peers/broker-servers.mjs';
import { processCpuMs } from '../peers/process-cpu.mjs';
import { serve } from '../harness/serve.mjs';

const pauseMs = 20;

const [name = ''] = process.argv.slice(2);
const server = Object.entries(brokerServers).find(([key]) => key === name)?.[1];
if (!server) throw new Error(`expected ${Object.keys(brokerServers).join(' or ')}, got "${name}"`);
const { program, args } = server;
const file = findServer(server) ?? program;

/** @type {number} */
let pid;

serve({
  /** Settles when the server accepts connections. */
  async listen({ port }) {
    // Its output is this process's log; and as it holds that open, the run does not end before it does.
    const broker = spawn(file, args(port), { stdio: ['ignore', 'inherit', 'inherit'] });
    process.on('exit', () => broker.kill('SIGKILL'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1));
    broker.on('exit', (code, signal) => {
      console.error(`${program} ended with ${code ?? signal}`);
      process.exit(1);
    });
    await once(broker, 'spawn');
    pid = broker.pid ?? NaN;
    while (!(await accepts(port))) await wait(pauseMs);
  },

  /** Is not answered, so it fails, with the log, when the server ends. */
  untilEnd: () => new Promise(() => {}),

  /** As `usage`, of the server. */
  brokerUsage() {
    return { cpuMs: processCpuMs(pid) };
  },
});

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
async function accepts(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // Not yet; should it end instead, so does this process.
  } finally {
    socket.destroy();
  }
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';

const limitMs = 10 * 60_000;
const intervalMs = 10_000;
/** How long a process may take to say where it is. */
const answerMs = 5_000;

/**
 * Ends a run of Jest in which a file of tests does not end: code that never gives way is not interrupted by the time
 * limits of tests. Says which file it is, and where its process was.
 */
export default class StuckReporter {
  #begunMs = new Map();
  #timer;

  onRunStart() {
    this.#timer = setInterval(() => void this.#look(), intervalMs);
  }

  onTestFileStart({ path }) {
    this.#begunMs.set(path, Date.now());
  }

  onTestFileResult({ path }) {
    this.#begunMs.delete(path);
  }

  onRunComplete() {
    clearInterval(this.#timer);
  }

  async #look() {
    const begun = [...this.#begunMs];
    if (begun.every(([, ms]) => Date.now() - ms < limitMs)) return;
    clearInterval(this.#timer);
    for (const [path, ms] of begun) {
      console.error(`stuck: ${path} runs for ${Math.round((Date.now() - ms) / 1_000)} s`);
    }
    // One after the other is gone: they open their inspector at the same port.
    for (const worker of await childrenOf(process.pid)) {
      const where = await whereIs(worker).catch((reason) => `  not known: ${reason.message}`);
      console.error(`process ${worker} is at\n${where}`);
      process.kill(worker, 'SIGKILL');
      await pause(intervalMs);
    }
    // Jest has begun new ones.
    for (const worker of await childrenOf(process.pid)) process.kill(worker, 'SIGKILL');
    process.exit(1);
  }
}

/** On Linux; none elsewhere. */
async function childrenOf(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** The functions under way in a process, or what it waits for. */
async function whereIs(pid) {
  process.kill(pid, 'SIGUSR1');
  const socket = await inspector();
  const messages = [];
  socket.on('message', (text) => messages.push(JSON.parse(text)));
  const ask = (id, method, params) => socket.send(JSON.stringify({ id, method, params }));
  const expression = `process.getActiveResourcesInfo().join(', ')`;
  // Whoever waits answers and is not paused, whoever is busy is paused and does not answer.
  ask(1, 'Runtime.evaluate', { expression });
  ask(2, 'Debugger.enable');
  await pause(answerMs);
  ask(3, 'Debugger.pause');
  await pause(answerMs);
  socket.terminate();
  const paused = messages.find(({ method }) => method === 'Debugger.paused');
  const waits = messages.find(({ id }) => id === 1)?.result?.result?.value;
  const urlOf = (script) =>
    messages.find(({ params }) => params?.scriptId === script && params.url)?.params.url;
  const frames = (paused?.params.callFrames ?? []).map(
    ({ functionName, location: { scriptId, lineNumber } }) =>
      `  ${functionName} ${urlOf(scriptId)}:${lineNumber + 1}`,
  );
  return [...frames, `  active: ${waits}`].join('\n');
}

async function inspector() {
  for (let left = answerMs; left > 0; left -= 100) {
    await pause(100);
    const answer = await fetch('http://127.0.0.1:9229/json').catch(() => undefined);
    if (!answer) continue;
    const [target] = await answer.json();
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await once(socket, 'open');
    return socket;
  }
  throw new Error('it opens no inspector');
}

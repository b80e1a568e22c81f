import { Demo } from '../demo.js';
import { room } from './names.js';

// Runs the demo, each service in its own process: a node, a moderator, four agents, a board that shows the
// room on a page, and a storyteller that asks for one chapter after the other and checks what came of it.
// With --keep there is no storyteller: the page asks for the chapters, until Ctrl-C.
const keep = process.argv.includes('--keep');
const demo = new Demo(import.meta.url);

async function startServices(): Promise<{ readonly board: string; readonly frames: string }> {
  demo.step('A routing node, a moderator, four agents, and a board that is a member too');
  demo.env.SLIM_LISTEN = '127.0.0.1:0';
  const node = demo.start('node.js', { env: { PORT: '0' } });
  demo.env.NODE_FRAMES = await node.after('shows its frames at');
  demo.env.SLIM_NODE = await node.after('listens on');
  const agents = ['triage', 'database', 'security'].map((role) =>
    demo.start('agent.js', { env: { AGENT: role } }),
  );
  const services = [...agents, demo.start('contractor.js')];
  const gateway = demo.start('gateway.js', { env: { PORT: process.env.PORT ?? '0' } });
  await Promise.all(services.map((service) => service.after('is up')));
  const board = await gateway.after('is up at');
  await demo.start('moderator.js').after('is up');
  return { board, frames: demo.env.NODE_FRAMES };
}

await demo.tell(async () => {
  const { board, frames } = await startServices();
  if (keep) {
    demo.step(`Open ${board} and press its button for the next chapter. Ctrl-C ends everything`);
    return demo.untilInterrupted();
  }
  demo.step(`What happens in ${room}, and what came of it`);
  await demo.start('story.js', { words: [board, frames] }).done();
  return 'All done: who is in the room reads, who is not does not, and the node never could.';
});

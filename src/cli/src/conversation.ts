import type { Channel, SlimName } from '@nestjs-slim/core';
import { formatFailure } from './output.js';
import type { Terminal } from './terminal.js';
import { parseTypedLine, typedLineHelp, type TypedLine } from './typed-line.js';
import { textPayload } from './text-payload.js';

/**
 * Lets a person talk in a channel: what is typed is published or obeyed, what happens is shown. Ends when
 * the terminal or the channel does, and closes both. `invite` are the names to begin with.
 * @throws SlimError why the channel was lost, unless somebody ended it
 */
export async function converse(
  room: Channel,
  terminal: Terminal,
  invite: readonly string[] = [],
): Promise<void> {
  const conversation = new Conversation(room, terminal);
  for (const name of invite) void conversation.hear(`/invite ${name}`);
  terminal.onLine((line) => void conversation.hear(line));
  await Promise.race([terminal.ended, room.ended]);
  terminal.close();
  await room.close();
  const reason = await room.ended;
  if (reason && reason.code !== 'session-closed') throw reason;
  const how = reason?.message ?? `you ${room.isModerator ? 'closed' : 'left'} ${room.name.service}`;
  terminal.show(`* ${how}`);
}

class Conversation {
  readonly #room: Channel;
  readonly #terminal: Terminal;
  #turn = Promise.resolve();

  constructor(room: Channel, terminal: Terminal) {
    this.#room = room;
    this.#terminal = terminal;
    const { show } = terminal;
    show(
      `* you are in ${room.name.service} as ${room.self.service}\n* type to talk, /help to see more`,
    );
    room.on('joined', ({ name }) => show(`* ${this.#short(name)} joined`));
    room.on('left', ({ name }) => show(`* ${this.#short(name)} left`));
    room.on('presence', ({ name, online }) =>
      show(`* ${this.#short(name)} ${online ? 'is back' : 'is offline'}`),
    );
    this.#showMessages().catch(() => undefined); // `ended` says why as well
  }

  /** Lines are obeyed one after the other, but nobody waits until what was said has arrived. */
  hear(line: string): Promise<void> {
    this.#turn = this.#turn.then(() => this.#obey(parseTypedLine(line))).catch(this.#complain);
    return this.#turn;
  }

  async #obey(typed: TypedLine): Promise<void> {
    switch (typed.kind) {
      case 'nothing':
        return undefined;
      case 'say':
        this.#room.publish(...textPayload(typed.text)).catch(this.#complain);
        return undefined;
      case 'invite':
        return this.#room.invite(typed.name, { signal: this.#terminal.closed });
      case 'remove':
        return this.#room.remove(typed.name);
      case 'who':
        return this.#terminal.show(this.#everybody());
      case 'help':
        return this.#terminal.show(typedLineHelp);
      case 'leave':
        return this.#terminal.close();
      case 'mistake':
        return this.#terminal.show(`! ${typed.advice}`);
    }
  }

  async #showMessages(): Promise<void> {
    for await (const { source, payload } of this.#room) {
      // Indented, so that no line of a message looks like one of ours.
      const text = Buffer.from(payload).toString('utf8').replaceAll('\n', '\n  ');
      this.#terminal.show(`${this.#short(source)}: ${text}`);
    }
  }

  #everybody(): string {
    const { self, moderator } = this.#room;
    const isSame = (one: SlimName, other: SlimName) => one.toString() === other.toString();
    const lines = this.#room.participants().map(({ name, online }) => {
      const notes = [
        ...(isSame(name, self) ? ['you'] : []),
        ...(isSame(name, moderator) ? ['moderator'] : []),
        ...(online ? [] : ['offline']),
      ];
      return `* ${this.#short(name)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
    });
    return lines.join('\n');
  }

  /** Without the id of the instance, unless two members share the name. */
  #short(name: SlimName): string {
    const sharing = this.#room.participants().filter((one) => one.name.service === name.service);
    return sharing.length > 1 ? name.toString() : name.service;
  }

  readonly #complain = (reason: unknown): void => {
    // What was cut off by leaving is no news.
    if (!this.#terminal.closed.aborted) this.#terminal.show(`! ${formatFailure(reason)}`);
  };
}

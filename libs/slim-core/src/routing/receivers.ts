import { categories, type Category, type ConnectionId } from './categories.js';

/** The connections of one category, and whose turn it is. */
interface Ring {
  readonly category: Category;
  readonly connections: ConnectionId[];
  cursor: number;
}

/** Connections by category, the closest first. */
export class Receivers {
  readonly #rings: Ring[] = [];

  get isEmpty(): boolean {
    return this.#rings.length === 0;
  }

  /** True when there is a connection of another category. */
  hasBeside(category: Category): boolean {
    return this.#rings.some((ring) => ring.category !== category);
  }

  /** Takes a connection that it does not have. */
  add(category: Category, connection: ConnectionId): void {
    const rank = categories.indexOf(category);
    const ring = this.#rings.find((known) => known.category === category);
    if (ring) return void ring.connections.push(connection);
    const farther = this.#rings.findIndex((known) => categories.indexOf(known.category) > rank);
    const at = farther < 0 ? this.#rings.length : farther;
    // A list of one from the start: one that grows from nothing takes room for seventeen.
    this.#rings.splice(at, 0, { category, connections: [connection], cursor: 0 });
  }

  remove(connection: ConnectionId): void {
    for (const [index, ring] of this.#rings.entries()) {
      const at = ring.connections.indexOf(connection);
      if (at < 0) continue;
      ring.connections.splice(at, 1);
      if (ring.cursor > at) ring.cursor -= 1;
      if (ring.connections.length === 0) this.#rings.splice(index, 1);
      return;
    }
  }

  /** One in turn, of the closest category that has any; `last` is taken only when no other has one. */
  next(except: ConnectionId, last?: Category): ConnectionId | undefined {
    let late: Ring | undefined;
    for (const ring of this.#rings) {
      if (ring.category === last) {
        late = ring;
        continue;
      }
      const found = nextOf(ring, except);
      if (found !== undefined) return found;
    }
    return late && nextOf(late, except);
  }

  /** All of them, the closest first. */
  connections(): ConnectionId[] {
    return this.#rings.flatMap(({ connections }) => connections);
  }

  /** All but one, and but for a category. */
  all(except: ConnectionId, without?: Category): ConnectionId[] {
    const all: ConnectionId[] = [];
    for (const { category, connections } of this.#rings) {
      if (category === without) continue;
      for (const connection of connections) if (connection !== except) all.push(connection);
    }
    return all;
  }
}

function nextOf(ring: Ring, except: ConnectionId): ConnectionId | undefined {
  const { connections } = ring;
  for (let step = 0; step < connections.length; step += 1) {
    const at = (ring.cursor + step) % connections.length;
    const connection = connections[at];
    if (connection === undefined || connection === except) continue;
    ring.cursor = (at + 1) % connections.length;
    return connection;
  }
  return undefined;
}

import { SlimError } from '../errors/slim-error.js';
import { formatId, nullId, parseId, type NameId } from './name-id.js';

/** Organisation, namespace and service. */
export type NameComponents = readonly [org: string, namespace: string, service: string];

/** `org/namespace/service`, with the id of one instance or (`nullId`) of any. Immutable. */
export class SlimName {
  readonly components: NameComponents;
  readonly id: NameId;
  #service: string | undefined;

  constructor(components: NameComponents, id: NameId = nullId) {
    this.components = components;
    this.id = id;
  }

  /**
   * Reads `org/namespace/service` or `org/namespace/service/<instance id>`. White space around the
   * parts is dropped, as the official peer does.
   * @throws SlimError `invalid-name`
   */
  static parse(text: string): SlimName {
    const [org, namespace, service, id, ...rest] = text.split('/').map((part) => part.trim());
    // An empty part would hash like a name of its own and never match anything.
    if (!org || !namespace || !service || id === '' || rest.length > 0) {
      throw new SlimError('invalid-name', `expected org/namespace/service, got "${text}"`);
    }
    return new SlimName([org, namespace, service], id === undefined ? nullId : parseId(id));
  }

  static from(name: SlimName | string): SlimName {
    return typeof name === 'string' ? SlimName.parse(name) : name;
  }

  /** True when the name means one instance rather than any. */
  get isInstance(): boolean {
    return this.id !== nullId;
  }

  /** `org/namespace/service`, without the id. */
  get service(): string {
    return (this.#service ??= this.components.join('/'));
  }

  withId(id: NameId): SlimName {
    return new SlimName(this.components, id);
  }

  /** `org/namespace/service`, followed by the instance id when there is one. */
  toString(): string {
    return this.isInstance ? `${this.service}/${formatId(this.id)}` : this.service;
  }

  /** In JSON a name is its text. */
  toJSON(): string {
    return this.toString();
  }

  /** How `console.log` of Node.js shows it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `SlimName ${this.toString()}`;
  }
}

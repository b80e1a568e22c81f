import { SlimError } from '../errors/slim-error.js';
import type { LoadedKey } from './jwt-keys.js';
import type { VerificationKeys } from './verification-keys.js';

/** A text that others change while it is in use, such as a file. */
export interface TextSource {
  /** @throws SlimError when it cannot be had */
  text(): string | Promise<string>;
  /** Tells when `text` has another answer. Returns how to stop listening. */
  onChange(listener: () => void): () => void;
}

/** What a text is read as, and who hears when that fails. */
export interface FedKeysOptions {
  readonly source: TextSource;
  /** @throws SlimError `invalid-config` */
  load(text: string): Promise<readonly LoadedKey[]>;
  onError?(reason: SlimError): void;
}

/** Keys that are read again whenever their text changes. One that cannot be read leaves the old ones. */
export class FedKeys implements VerificationKeys {
  readonly #options: FedKeysOptions;
  #keys: readonly LoadedKey[] = [];
  #reading = Promise.resolve();
  #stop: () => void = () => undefined;

  private constructor(options: FedKeysOptions) {
    this.#options = options;
  }

  /** @throws SlimError what reading the text for the first time threw */
  static async open(options: FedKeysOptions): Promise<FedKeys> {
    const fed = new FedKeys(options);
    const first = fed.#reading.then(() => fed.#read());
    // Told to whoever opens them; a change meanwhile is read behind it all the same.
    fed.#reading = first.catch(() => undefined);
    fed.#stop = options.source.onChange(() => fed.#changed());
    try {
      await first;
    } catch (reason) {
      fed.close();
      throw reason;
    }
    return fed;
  }

  for(): readonly LoadedKey[] {
    return this.#keys;
  }

  /** Nothing to look for: a change comes by itself. */
  renew(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {
    this.#stop();
  }

  /** One after the other, so that the last text is the one that stays. */
  #changed(): void {
    const failed = (reason: unknown): void =>
      this.#options.onError?.(SlimError.from(reason, 'invalid-config'));
    this.#reading = this.#reading.then(() => this.#read()).catch(failed);
  }

  async #read(): Promise<void> {
    this.#keys = await this.#options.load(await this.#options.source.text());
  }
}

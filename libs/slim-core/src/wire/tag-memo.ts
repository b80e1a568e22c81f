/** The tag that was last made or found right over fields that do not change, and by whom. */
export class TagMemo {
  #by: object | undefined;
  #tag: Uint8Array | undefined;

  tagBy(mac: object): Uint8Array | undefined {
    return this.#by === mac ? this.#tag : undefined;
  }

  keep(mac: object, tag: Uint8Array): void {
    this.#by = mac;
    this.#tag = tag;
  }
}

import { nowMs } from './spell.mjs';

/**
 * Numbered frames from one link to another through a node: never more under way than fit, each of them
 * checked to be the next.
 */
export class PairFlow {
  #sender;
  #receiver;
  #templates;
  #size;
  #mayBeUnderWay;
  #isSending = false;
  #idle = () => {};
  sent = 0;
  arrived = 0;
  lastAtMs = 0;
  /** @type {Error | undefined} */
  failure;

  /**
   * @param {object} options
   * @param {import('./raw-link.mjs').RawLink} options.sender
   * @param {import('./raw-link.mjs').RawLink} options.receiver
   * @param {readonly string[]} options.destinations names of the receiver, taken in turn
   * @param {number} options.size bytes of a payload
   * @param {number} options.mayBeUnderWay frames
   */
  constructor({ sender, receiver, destinations, size, mayBeUnderWay }) {
    this.#sender = sender;
    this.#receiver = receiver;
    const payload = new Uint8Array(size).fill(0x5a);
    this.#templates = destinations.map((name) => sender.encodePublish(name, payload));
    this.#size = size;
    this.#mayBeUnderWay = mayBeUnderWay;
    receiver.onFrame = (bytes) => this.#receive(bytes);
  }

  /** Sends as many as may be under way, and more as they arrive, until `stop`. */
  start() {
    this.#isSending = true;
    this.#fill();
  }

  /** Settles when everything arrived, or at the first frame that is wrong. */
  async stop() {
    this.#isSending = false;
    if (this.arrived < this.sent && !this.failure) {
      await new Promise((resolve) => {
        this.#idle = () => resolve(undefined);
      });
    }
    if (this.failure) throw this.failure;
  }

  #fill() {
    while (this.sent - this.arrived < this.#mayBeUnderWay) {
      const template = this.#templates[this.sent % this.#templates.length];
      if (!template) throw new Error('there is nobody to send to');
      const bytes = template.slice();
      writeNumber(bytes, this.sent);
      this.sent += 1;
      this.#sender.send(bytes);
    }
  }

  /** @param {Uint8Array} bytes */
  #receive(bytes) {
    const number = readNumber(bytes);
    if (number !== this.arrived || bytes.length < this.#size) {
      this.failure ??= new Error(`expected frame ${this.arrived}, got frame ${number}`);
    }
    // All of the first, and of some others, down to the tag.
    if (this.arrived % 10_000 === 0) this.#checkAll(bytes);
    this.arrived += 1;
    const underWay = this.sent - this.arrived;
    if (this.#isSending && underWay <= this.#mayBeUnderWay / 2) this.#fill();
    if (underWay > 0 && !this.failure) return;
    this.lastAtMs = nowMs();
    this.#idle();
  }

  /** @param {Uint8Array} bytes */
  #checkAll(bytes) {
    const payload = this.#receiver.open(bytes);
    const rest = payload.subarray(0, this.#size - 4);
    if (payload.length !== this.#size || rest.some((byte) => byte !== 0x5a)) {
      this.failure ??= new Error(`frame ${this.arrived} is not the one sent`);
    }
  }
}

/**
 * The payload is the last field of a frame, so its last bytes are.
 * @param {Uint8Array} frame
 * @param {number} number
 */
function writeNumber(frame, number) {
  const at = frame.length - 4;
  frame[at] = number >>> 24;
  frame[at + 1] = number >>> 16;
  frame[at + 2] = number >>> 8;
  frame[at + 3] = number;
}

/** @param {Uint8Array} frame */
function readNumber(frame) {
  const at = frame.length - 4;
  const at3 = frame[at + 3] ?? 0;
  return (
    (((frame[at] ?? 0) << 24) |
      ((frame[at + 1] ?? 0) << 16) |
      ((frame[at + 2] ?? 0) << 8) |
      at3) >>>
    0
  );
}

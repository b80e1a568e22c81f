/**
 * Thrown by a run whose contender cannot do the job; the message is the reason. It is listed instead of
 * figures, and the contender is not asked again. A failure of the job is any other error.
 */
export class LeftOut extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.name = 'LeftOut';
  }
}

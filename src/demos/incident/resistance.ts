import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectChannel, SlimChannelRef, SlimError } from 'nestjs-slim';
import { first, firstValueFrom } from 'rxjs';
import { tell } from '../settings.js';
import { room } from './names.js';
import { Participant } from './participant.js';
import { Reporter } from './reporter.js';
import { farewell } from './script.js';
import { UnwillingDialler } from './unwilling-link.js';

const by = 'contractor';

/** Tries what somebody can try who was removed, and reports how far that goes. */
@Injectable()
export class Resistance implements OnApplicationBootstrap {
  constructor(
    @InjectChannel(room) private readonly channel: SlimChannelRef,
    private readonly participant: Participant,
    private readonly reporter: Reporter,
    private readonly link: UnwillingDialler,
  ) {}

  onApplicationBootstrap(): void {
    this.channel.messages$
      .pipe(first(({ data }) => data === farewell, undefined))
      .subscribe((heard) => void (heard && this.resist()));
  }

  private async resist(): Promise<void> {
    await this.ignoreRemoval();
    const out = firstValueFrom(this.participant.closed$);
    this.link.release();
    await this.reporter.report({ kind: 'out', by, reason: await out });
    await this.tryToPublish('once it knew');
  }

  /** With all the keys it ever had, and with what is said still coming in. */
  private async ignoreRemoval(): Promise<void> {
    let frames = 0;
    let opened = 0;
    this.link.hold();
    const first = firstValueFrom(this.link.arrived$);
    const counting = [
      this.link.arrived$.subscribe(() => (frames += 1)),
      this.channel.messages$.subscribe(() => (opened += 1)),
    ];
    await first;
    await this.tryToPublish('while it ignored its removal');
    for (const count of counting) count.unsubscribe();
    tell(by, `was sent ${frames} more messages, and could open ${opened} of them`);
    await this.reporter.report({ kind: 'sealed', by, frames, opened });
  }

  private async tryToPublish(when: string): Promise<void> {
    let code = 'none: it was published';
    try {
      await this.channel.publish('I am still here. What is it about the logs?');
    } catch (reason) {
      code = reason instanceof SlimError ? reason.code : String(reason);
    }
    tell(by, `tried to publish ${when}: ${code}`);
    await this.reporter.report({ kind: 'refused', by, when, code });
  }
}

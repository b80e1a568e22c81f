import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { tell } from '../settings.js';
import { reportEvent, type Report } from './report.js';

/** The client that knows where the board is. */
export const boardClient = Symbol('board');

/** Tells the board what an agent experiences. */
@Injectable()
export class Reporter {
  constructor(@Inject(boardClient) private readonly board: ClientProxy) {}

  async report(report: Report): Promise<void> {
    await firstValueFrom(this.board.emit(reportEvent, report), { defaultValue: undefined }).catch(
      (reason: unknown) => tell(report.by, `could not report: ${String(reason)}`),
    );
  }
}

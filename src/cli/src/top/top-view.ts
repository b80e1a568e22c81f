import type { LinkStatus, NodeStatus } from '@nestjs-slim/node';
import { printableCell } from '../printable.js';
import { shortCount, shortDuration } from './units.js';

/** How much room there is. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Column {
  readonly title: string;
  /** Shares what is left over with the other columns without a width. */
  readonly width?: number;
  readonly text: (link: LinkStatus, nowMs: number) => string;
}

const columns: readonly Column[] = [
  { title: 'LINK', width: 6, text: ({ id }) => `#${id}` },
  { title: 'KIND', width: 11, text: kindText },
  { title: 'OTHER END', text: (link) => `${peerText(link)} ${link.remote}` },
  { title: 'NAMES', text: namesText },
  { title: 'IN/s', width: 6, text: ({ rates }) => rateText(rates?.receivedFrames) },
  { title: 'OUT/s', width: 6, text: ({ rates }) => rateText(rates?.sentFrames) },
  { title: 'IN', width: 6, text: ({ receivedFrames }) => shortCount(receivedFrames) },
  { title: 'OUT', width: 6, text: ({ sentFrames }) => shortCount(sentFrames) },
  { title: 'DROPPED', width: 8, text: ({ dropped }) => shortCount(dropped) },
  { title: 'UP', width: 7, text: ({ sinceMs }, nowMs) => shortDuration(nowMs - sinceMs) },
];

/** Where numbers begin, which stand at the right of their column. */
const firstNumber = columns.findIndex(({ title }) => title === 'IN/s');

/** Lines that are no links. */
const headRows = 6;

/** How many links there is room for. */
export function linksThatFit({ rows }: Size): number {
  return Math.max(1, rows - headRows - 1);
}

/** The whole screen, a line a row; none is longer than the screen is wide. */
export function topView(status: NodeStatus, size: Size, problem?: string): readonly string[] {
  const { node, counters, traffic, links, routes } = status;
  const dropped = Object.values(counters.dropped).reduce((total, count) => total + count, 0);
  const total = (title: string, count: number, rates: readonly number[]): string =>
    `${title} ${rateText(rates.at(-1))}/s (${shortCount(count)})`;
  const shown = links.items.slice(0, linksThatFit(size));
  const lines = [
    `slim top  ${node.nodeId}  ${node.state}  up ${shortDuration(node.nowMs - node.startedAtMs)}`,
    [
      `${links.total} links`,
      `${counters.subscriptions} subscriptions`,
      `${routes.total}${routes.isPartial ? '+' : ''} routes`,
      `${counters.refused} refused`,
    ].join('  '),
    [
      total('received', counters.received, traffic.received),
      total('forwarded', counters.forwarded, traffic.forwarded),
      `${total('dropped', dropped, traffic.dropped)}${reasonsText(counters.dropped)}`,
    ].join('  '),
    problem ?? '',
    row(
      columns.map(({ title }) => title),
      size,
    ),
    ...shown.map((link) =>
      row(
        columns.map(({ text }) => text(link, node.nowMs)),
        size,
      ),
    ),
    links.total === 0 ? 'no links yet' : restText(links.found - shown.length),
  ];
  return lines.map((line) => cut(printableCell(line), size.columns).trimEnd());
}

function restText(hidden: number): string {
  return hidden > 0 ? `… and ${hidden} more` : '';
}

function kindText({ kind, direction, state, isFull }: LinkStatus): string {
  if (isFull) return `${kind} FULL`;
  if (state === 'negotiating') return 'new';
  return `${kind} ${direction === 'incoming' ? 'in' : 'out'}`;
}

function peerText({ peerNodeId, kind }: LinkStatus): string {
  return peerNodeId ?? (kind === 'local' ? 'in this process' : '');
}

function namesText({ names, subscriptions }: LinkStatus): string {
  return subscriptions === 0 ? '-' : names.join(' ');
}

function reasonsText(dropped: NodeStatus['counters']['dropped']): string {
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  return reasons.map(([reason, count]) => ` ${reason} ${shortCount(count)}`).join('');
}

function rateText(rate: number | undefined): string {
  return rate === undefined ? '-' : shortCount(rate);
}

function row(cells: readonly string[], { columns: width }: Size): string {
  const fixed = columns.reduce((sum, column) => sum + (column.width ?? 0), 0);
  const flexible = columns.filter((column) => column.width === undefined).length;
  const left = width - fixed - columns.length + 1;
  const room = Math.max(8, Math.floor(left / flexible));
  return cells
    .map((cell, index) => {
      const to = columns[index]?.width ?? room;
      const text = cut(printableCell(cell), to);
      return index < firstNumber ? text.padEnd(to) : text.padStart(to);
    })
    .join(' ');
}

/** By characters as people count them, so that none is cut in half. */
function cut(text: string, length: number): string {
  const characters = Array.from(text);
  if (characters.length <= length) return text;
  return `${characters.slice(0, Math.max(0, length - 1)).join('')}…`;
}

import { bytesText, countText, durationText, rateText, shortDurationText } from './numbers.js';
import { drawLine, smallLine } from './sparkline.js';
import { element, setText } from './table.js';

const keptRates = 30;

const directions = {
  incoming: ['←', 'opened by the other end'],
  outgoing: ['→', 'opened by this node'],
};

/** The rates that this page has seen of each link. The node itself keeps none: it may have thousands. */
const seen = new Map();

/** Takes what the rates are now, and forgets links that are not shown. */
export function rememberRates(links) {
  const shown = new Set(links.map(({ id }) => id));
  for (const id of seen.keys()) if (!shown.has(id)) seen.delete(id);
  for (const { id, rates } of links) {
    if (!rates) continue;
    const history = seen.get(id) ?? { received: [], sent: [] };
    seen.set(id, history);
    history.received.push(rates.receivedFrames);
    history.sent.push(rates.sentFrames);
    for (const values of [history.received, history.sent]) {
      if (values.length > keptRates) values.shift();
    }
  }
}

/** The row of a link. `showRoutes` is called with its number when somebody wants to see all its names. */
export function linkRow({ id, kind, direction }, showRoutes) {
  const [arrow, meaning] = directions[direction];
  const number = element('span', 'link-number', `#${id}`);
  const kindBadge = element('span', 'badge', kind);
  kindBadge.dataset.kind = kind;
  const way = element('span', 'way', arrow);
  way.title = meaning;
  way.setAttribute('role', 'img');
  way.setAttribute('aria-label', meaning);
  const flag = element('span', 'badge');
  const head = element('th', 'link');
  head.scope = 'row';
  head.append(number, kindBadge, way, flag);

  const peer = element('span', 'name');
  const address = element('small', 'quiet');
  const names = element('button', 'names');
  names.type = 'button';
  names.addEventListener('click', () => showRoutes(id));
  const [received, sent] = [rateCell(), rateCell()];
  const totals = [0, 1, 2, 3].map(() => element('td', 'number'));
  const row = element('tr');
  row.append(head, cell(names), cell(peer, address), received.cell, sent.cell, ...totals);

  const update = (link) => {
    const isSlow = link.isFull;
    setText(flag, isSlow ? 'reads too slowly' : link.state === 'negotiating' ? 'negotiating' : '');
    flag.hidden = flag.textContent === '';
    flag.dataset.kind = isSlow ? 'bad' : 'quiet';
    setText(peer, peerText(link));
    peer.title = peer.textContent;
    setText(address, addressText(link));
    setText(names, namesText(link));
    names.disabled = link.subscriptions === 0;
    const history = seen.get(id);
    received.show(link.rates?.receivedFrames, history?.received);
    sent.show(link.rates?.sentFrames, history?.sent);
    const [inTotal, outTotal, dropped, up] = totals;
    setText(inTotal, bytesText(link.receivedBytes));
    setText(outTotal, bytesText(link.sentBytes));
    inTotal.title = `${countText(link.receivedFrames)} frames`;
    outTotal.title = `${countText(link.sentFrames)} frames`;
    setText(dropped, countText(link.dropped));
    dropped.classList.toggle('bad', link.dropped > 0);
    setText(up, shortDurationText(link.nowMs - link.sinceMs));
    up.title = durationText(link.nowMs - link.sinceMs);
  };
  return { row, update };
}

function peerText({ peerNodeId, kind }) {
  return peerNodeId ?? (kind === 'local' ? 'an application' : 'unknown yet');
}

function addressText({ remote, peerVersion, kind }) {
  if (kind === 'local') return 'in this process';
  return peerVersion ? `${remote} · ${peerVersion}` : remote;
}

function namesText({ names, subscriptions }) {
  if (subscriptions === 0) return 'none';
  const shown = names.map((name) => name || '(without a text)');
  const more = subscriptions - shown.length;
  return more > 0 && shown.length > 0
    ? `${shown.join(', ')} and more`
    : shown.join(', ') || `${subscriptions}`;
}

function cell(...content) {
  const made = element('td');
  made.append(...content);
  return made;
}

function rateCell() {
  const line = smallLine();
  const text = element('span');
  const made = element('td', 'number rate');
  made.append(line, text);
  return {
    cell: made,
    show: (rate, history = []) => {
      setText(text, rateText(rate));
      drawLine(line, history, keptRates);
    },
  };
}

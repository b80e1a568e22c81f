// Shows the state that the board sends, whole, after every change (board-state.ts). Elements are made once
// and then only changed, so that what somebody opened stays open.

const byId = (id) => document.getElementById(id);
const next = byId('next');
const previewBytes = 72;
let isAsking = false;
let latest;

/** An element with a class or other attributes, and text or children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Brings a list to as many items as there are values, making anew those whose value changed. */
function fill(list, values, toItem) {
  values.forEach((value, at) => {
    const known = list.children[at];
    const text = JSON.stringify(value);
    if (known?.value === text) return;
    const item = toItem(value);
    item.value = text;
    if (!known) return list.append(item);
    const wasOpen = known.querySelector('details')?.open;
    known.replaceWith(item);
    if (wasOpen) item.querySelector('details').open = true;
  });
  while (list.children.length > values.length) list.lastElementChild.remove();
}

const pairs = (hex) => hex.match(/../g) ?? [];

/** Offset, bytes and what of them is text, as `hexdump -C` writes it. */
function dump(hex) {
  const bytes = pairs(hex);
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.slice(at, at + 16);
    const text = row
      .map((byte) => Number.parseInt(byte, 16))
      .map((code) => (code > 31 && code < 127 ? String.fromCharCode(code) : '·'))
      .join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${row.join(' ').padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}

function seenView(seen) {
  const bytes = pairs(seen.hex);
  const sealed = bytes.slice(seen.payloadAt, seen.payloadAt + seen.payloadLength);
  const keys = seen.epoch === undefined ? 'not sealed' : `sealed with keys of epoch ${seen.epoch}`;
  const rest = sealed.length > previewBytes ? ' …' : '';
  // The end of the payload: its beginning is the same header in every message.
  return make(
    'div',
    { class: 'seen' },
    `from ${seen.by}, ${sealed.length} bytes ${keys}, ${seen.copies}× forwarded`,
    make('p', { class: 'hex' }, (rest && '… ') + sealed.slice(-previewBytes).join(' ')),
    make(
      'details',
      {},
      make('summary', {}, `the whole frame, ${bytes.length} bytes`),
      make('pre', { tabindex: '0' }, dump(seen.hex)),
    ),
  );
}

function messageView({ by, text, readBy, seen, agents }) {
  const readers = agents
    .filter((agent) => agent !== by)
    .map((agent) => {
      const isRead = readBy.includes(agent);
      const said = isRead ? `✓ ${agent} read it` : `✗ ${agent} cannot`;
      return make('li', isRead ? { 'data-read': '' } : {}, said);
    });
  return make(
    'li',
    { class: 'message' },
    make(
      'div',
      { class: 'said' },
      make('span', { class: 'by' }, by),
      make('p', {}, text),
      make('ul', { class: 'readers', 'aria-label': 'Agents that could read it' }, ...readers),
    ),
    seen ? seenView(seen) : make('div', { class: 'seen' }, 'no frame seen yet'),
  );
}

function changeView({ kind, who, epoch }) {
  const what = kind === 'joined' ? 'joined' : who.length > 1 ? 'were removed or left' : 'is out';
  return make(
    'li',
    { class: 'change', 'data-kind': kind },
    make(
      'span',
      {},
      make('strong', {}, `${who.join(', ')} ${what}`),
      ` — new keys: epoch ${epoch}`,
    ),
  );
}

function reportText(report) {
  switch (report.kind) {
    case 'sealed':
      return `${report.by} was sent ${report.frames} more messages, and could open ${report.opened}.`;
    case 'refused':
      return `${report.by} tried to publish ${report.when}: ${report.code}.`;
    default:
      return `${report.by} heard: ${report.reason.replace(/\/[0-9a-f-]{36}/, '')}.`;
  }
}

function memberView({ name, state }) {
  return make('li', { 'data-state': state }, name, make('small', {}, state));
}

/** Those in the room, and the agents that are not. */
function membersOf({ members, agents, entries }) {
  const left = new Set(entries.flatMap(({ kind, who }) => (kind === 'left' ? who : [])));
  const present = members.map(({ name, online }) => ({ name, state: online ? 'online' : 'away' }));
  const absent = agents
    .filter((agent) => !members.some(({ name }) => name === agent))
    .map((name) => ({ name, state: left.has(name) ? 'removed' : 'not invited' }));
  return [...present, ...absent];
}

function showButton({ told, titles, members }) {
  const isOver = told >= titles.length;
  next.disabled = isAsking || isOver || members.length === 0;
  next.textContent = isOver ? 'The incident is closed' : isAsking ? 'They talk …' : 'Next chapter';
}

function show(state) {
  latest = state;
  const { agents, entries } = state;
  byId('room').textContent = state.room;
  byId('epoch').textContent = String(state.epoch);
  byId('count').textContent = String(state.members.length);
  byId('empty').hidden = entries.some(({ kind }) => kind === 'message');
  fill(byId('members'), membersOf(state), memberView);
  fill(
    byId('entries'),
    entries.map((entry) => ({ ...entry, agents })),
    (entry) => (entry.kind === 'message' ? messageView(entry) : changeView(entry)),
  );
  fill(
    byId('chapters'),
    state.titles.map((title, at) => ({ title, at, told: state.told })),
    ({ title, at, told }) =>
      make(
        'li',
        at < told ? { 'data-told': '' } : at === told ? { 'aria-current': 'step' } : {},
        title,
      ),
  );
  byId('removed').hidden = state.reports.length === 0;
  fill(byId('reports'), state.reports, (report) => make('li', {}, reportText(report)));
  byId('unmatched').hidden = state.unmatched.length === 0;
  fill(byId('frames'), state.unmatched, (seen) => make('li', {}, seenView(seen)));
  showButton(state);
}

async function askForNext() {
  isAsking = true;
  byId('problem').textContent = '';
  showButton(latest);
  try {
    const response = await fetch('chapters', { method: 'POST' });
    if (!response.ok) throw new Error(`the board answered ${response.status}`);
  } catch (reason) {
    byId('problem').textContent = String(reason.message ?? reason);
  } finally {
    isAsking = false;
    showButton(latest);
  }
}

next.addEventListener('click', () => void askForNext());

const events = new EventSource('events');
events.onopen = () => (byId('connection').textContent = 'live');
events.onerror = () => (byId('connection').textContent = 'lost, trying again');
events.onmessage = ({ data }) => show(JSON.parse(data));

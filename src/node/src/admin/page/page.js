import { linkRow, rememberRates } from './links.js';
import { bytesText, countText, durationText, rateText } from './numbers.js';
import { drawLine } from './sparkline.js';
import { element, Pages, setText, Table } from './table.js';

const everyMs = 1_000;
const answerWithinMs = 5_000;
const limit = 25;
const trafficPlaces = 120;

const byId = (id) => document.getElementById(id);

/** What is asked of the node; everything else is what it answers. */
const view = { linksFrom: 0, routesFrom: 0, routesLink: undefined, isPaused: false };

let timer;
let asking = new AbortController();
let lastAnswerMs = Date.now();

function query() {
  const asked = new URLSearchParams({
    links_limit: limit,
    links_from: view.linksFrom,
    links_search: byId('links-search').value,
    links_order: byId('links-order').value,
    routes_limit: limit,
    routes_from: view.routesFrom,
    routes_search: byId('routes-search').value,
  });
  if (view.routesLink !== undefined) asked.set('routes_link', view.routesLink);
  return asked;
}

/** Asks now, and then again and again. What was asked before is of no interest any more. */
async function refresh() {
  clearTimeout(timer);
  asking.abort();
  const { signal } = (asking = new AbortController());
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    const response = await fetch(`status.json?${query()}`, { signal: within });
    if (!response.ok) throw new Error(`the node answered ${response.status}`);
    const status = await response.json();
    if (signal.aborted) return;
    lastAnswerMs = Date.now();
    show(status);
    showConnection(view.isPaused ? 'paused' : 'live');
  } catch {
    // Whatever went wrong is told by how long there was no answer; the next one may come.
    if (signal.aborted) return;
    showConnection('lost');
  }
  if (!view.isPaused && !document.hidden) timer = setTimeout(() => void refresh(), everyMs);
}

const connections = { live: 'live', paused: 'paused', lost: 'no answer' };

/** How long it has been silent stands beside the status, which a screen reader would read out every second. */
function showConnection(state) {
  setText(byId('connection'), connections[state]);
  byId('connection').dataset.state = state;
  const silence = `for ${durationText(Date.now() - lastAnswerMs)}, asking again`;
  setText(byId('silence'), state === 'lost' ? silence : '');
  document.body.classList.toggle('stale', state === 'lost');
}

function show({ node, counters, traffic, links, routes }) {
  setText(byId('node-id'), node.nodeId);
  document.title = `${node.nodeId} – SLIM node`;
  setText(byId('state'), node.state);
  byId('state').dataset.kind = node.state === 'running' ? 'good' : 'bad';
  setText(byId('uptime'), durationText(node.nowMs - node.startedAtMs));
  setText(byId('version'), node.version);
  for (const series of ['received', 'forwarded', 'dropped']) {
    setText(byId(`${series}-rate`), rateText(traffic[series].at(-1)));
    drawLine(byId(`${series}-line`), traffic[series], trafficPlaces);
  }
  for (const series of ['received', 'forwarded']) {
    setText(byId(series), `${countText(counters[series])} frames`);
    setText(byId(`${series}-bytes`), bytesText(counters[`${series}Bytes`]));
  }
  showReasons(counters.dropped);
  setText(byId('link-count'), countText(links.total));
  setText(byId('route-count'), `${countText(routes.total)}${routes.isPartial ? '+' : ''}`);
  setText(byId('subscriptions'), countText(counters.subscriptions));
  setText(byId('refused'), countText(counters.refused));
  showLinks(links, node);
  showRoutes(routes);
}

function showReasons(dropped) {
  const reasons = Object.entries(dropped)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => {
      const item = element('li');
      item.append(element('span', '', reason), element('span', 'number', countText(count)));
      return item;
    });
  byId('reasons').replaceChildren(
    ...(reasons.length > 0 ? reasons : [element('li', '', 'nothing')]),
  );
}

const linksTable = new Table(byId('links'), {
  keyOf: ({ id }) => id,
  makeRow: (link) => linkRow(link, showRoutesOf),
});
const linksPages = new Pages(byId('links-pages'), limit, (from) => {
  view.linksFrom = from;
  void refresh();
});

function showLinks(links, { nowMs }) {
  rememberRates(links.items);
  linksTable.show(links.items.map((link) => ({ ...link, nowMs })));
  linksPages.show(links);
  const none = 'No link yet. Applications and other nodes appear here once they connect.';
  showEmpty('links', links, none);
}

const routesTable = new Table(byId('routes'), {
  keyOf: ({ name, id }) => `${name}/${id ?? ''}`,
  makeRow: ({ name, id }) => {
    const head = element('th', 'name', name || '(without a text)');
    head.scope = 'row';
    const links = element('td');
    const row = element('tr');
    row.append(head, element('td', 'name quiet', id ?? 'any'), links);
    return {
      row,
      update: (route) => setText(links, route.links.map((link) => `#${link}`).join(' ')),
    };
  },
});
const routesPages = new Pages(byId('routes-pages'), limit, (from) => {
  view.routesFrom = from;
  void refresh();
});

function showRoutes(routes) {
  routesTable.show(routes.items);
  routesPages.show(routes);
  showEmpty(
    'routes',
    routes,
    'No name is subscribed. A name appears here once an application has it.',
  );
}

function showEmpty(list, { total, items }, none) {
  const text = total === 0 ? none : 'Nothing here matches.';
  setText(byId(`${list}-empty`), text);
  byId(`${list}-empty`).hidden = items.length > 0;
  byId(list).hidden = items.length === 0;
}

function showRoutesOf(link) {
  view.routesLink = link;
  view.routesFrom = 0;
  byId('routes-all').hidden = link === undefined;
  setText(byId('routes-all'), `only link #${link} ✕`);
  byId('routes-all').setAttribute('aria-label', `Only link ${link}; show all routes again`);
  if (link !== undefined) byId('routes-title').scrollIntoView({ block: 'start' });
  void refresh();
}

byId('routes-all').addEventListener('click', () => {
  showRoutesOf(undefined);
  byId('routes-search').focus();
});
for (const [control, event, list] of [
  ['links-search', 'input', 'linksFrom'],
  ['links-order', 'change', 'linksFrom'],
  ['routes-search', 'input', 'routesFrom'],
]) {
  byId(control).addEventListener(event, () => {
    view[list] = 0;
    void refresh();
  });
}
byId('pause').addEventListener('click', () => {
  view.isPaused = !view.isPaused;
  byId('pause').setAttribute('aria-pressed', String(view.isPaused));
  void refresh();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});
void refresh();

/** Puts text where there is other text. Nothing is ever put in as HTML. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An element with a class and a text. */
export function element(name, className = '', text = '') {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/**
 * Keeps the rows of a table as they are while what they show changes, so that focus, selection and scrolling
 * stay where they are. `makeRow` gives the row of an item, and how to show a newer state of it there.
 */
export class Table {
  #body;
  #keyOf;
  #makeRow;
  #rows = new Map();

  constructor(table, { keyOf, makeRow }) {
    this.#body = table.tBodies[0];
    this.#keyOf = keyOf;
    this.#makeRow = makeRow;
  }

  show(items) {
    const keys = new Set(items.map(this.#keyOf));
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    for (const [index, item] of items.entries()) {
      const key = this.#keyOf(item);
      let known = this.#rows.get(key);
      if (!known) this.#rows.set(key, (known = this.#makeRow(item)));
      known.update(item);
      const there = this.#body.rows[index];
      if (there !== known.row) this.#body.insertBefore(known.row, there ?? null);
    }
  }
}

/**
 * Says which part of a list is shown, with buttons to the others. Hidden while all of it is.
 * `go` is called with the place where the part that is asked for begins.
 */
export class Pages {
  #nav;
  #text = element('span');
  #previous = element('button', '', 'Previous');
  #next = element('button', '', 'Next');
  #from = 0;
  #limit;

  constructor(nav, limit, go) {
    this.#nav = nav;
    this.#limit = limit;
    for (const button of [this.#previous, this.#next]) button.type = 'button';
    this.#previous.addEventListener('click', () => go(Math.max(0, this.#from - limit)));
    this.#next.addEventListener('click', () => go(this.#from + limit));
    nav.append(this.#text, this.#previous, this.#next);
  }

  show({ from, found, total, items }) {
    this.#from = from;
    const count = new Intl.NumberFormat('en');
    const range = `${count.format(from + 1)}–${count.format(from + items.length)}`;
    const of = found === total ? count.format(total) : `${count.format(found)} found`;
    setText(this.#text, items.length > 0 ? `${range} of ${of}` : '');
    this.#previous.disabled = from === 0;
    this.#next.disabled = from + this.#limit >= found;
    const isWhole = from === 0 && found <= this.#limit;
    this.#previous.hidden = this.#next.hidden = isWhole;
    this.#nav.hidden = items.length === 0 && from === 0;
  }
}

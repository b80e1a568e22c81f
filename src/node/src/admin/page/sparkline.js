const namespace = 'http://www.w3.org/2000/svg';

/** Values that a line has room for, so that a short history does not fill the whole width. */
const room = { width: 120, height: 32 };

/** A small one for a cell of a table. */
export function smallLine() {
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('class', 'small line');
  svg.setAttribute('aria-hidden', 'true');
  return svg;
}

/**
 * Draws values from left to right, the newest at the right edge, up to the largest of them.
 * @param {SVGElement} svg
 * @param {readonly number[]} values
 * @param {number} places how many values the width is for
 */
export function drawLine(svg, values, places) {
  const { width, height } = room;
  const [area, line] = partsOf(svg);
  const step = width / (places - 1);
  const top = Math.max(1, ...values);
  const left = width - step * (values.length - 1);
  const points = values.map((value, index) => {
    return `${(left + index * step).toFixed(1)},${(height - 1 - (value / top) * (height - 3)).toFixed(1)}`;
  });
  line.setAttribute('points', points.join(' '));
  const isDrawn = points.length > 1;
  const floor = [`${width},${height}`, `${left.toFixed(1)},${height}`];
  area.setAttribute('points', isDrawn ? [...points, ...floor].join(' ') : '');
}

/** @param {SVGElement} svg */
function partsOf(svg) {
  if (svg.childElementCount === 0) {
    svg.setAttribute('viewBox', `0 0 ${room.width} ${room.height}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    const area = document.createElementNS(namespace, 'polygon');
    const line = document.createElementNS(namespace, 'polyline');
    line.setAttribute('vector-effect', 'non-scaling-stroke');
    svg.append(area, line);
  }
  return [...svg.children];
}

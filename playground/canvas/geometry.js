// Coordinates: the camera between picture and canvas, and which box or cell is under a point. Pure functions.

const [MIN_ZOOM, MAX_ZOOM] = [0.5, 40];  // below 1, anchors that reach beyond the picture come into sight

/**
 * Returns a value limited to an interval; `high` wins where the interval is empty.
 *
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * Returns the largest size of the canvas that fits its container, CSS pixels, in the picture's proportions.
 *
 * @param {number} width of the container
 * @param {number} tallest the canvas may be
 * @param {Size} picture
 * @returns {Size}
 */
function fitSize(width, tallest, picture) {
  const fitted = Math.floor(Math.min(width, (tallest * picture.width) / picture.height));
  return { width: fitted, height: Math.round((fitted * picture.height) / picture.width) };
}

/**
 * Returns the picture's offset along one axis so that it leaves no gap at either edge, or is centred where it is
 * smaller than the canvas.
 *
 * @param {number} offset wanted, CSS pixels
 * @param {number} length of the canvas
 * @param {number} zoom
 */
function clampOffset(offset, length, zoom) {
  const spare = length - length * zoom;
  return spare >= 0 ? spare / 2 : clamp(offset, spare, 0);
}

/**
 * Returns zoom and offset after zooming by a factor while the point of the picture under `at` stays there.
 *
 * @param {Camera} camera
 * @param {number} factor
 * @param {Point} at CSS pixels of the canvas
 */
function zoomAround(camera, factor, at) {
  const zoom = clamp(camera.zoom * factor, MIN_ZOOM, MAX_ZOOM);
  const ratio = zoom / camera.zoom;
  return { zoom, x: at.x - (at.x - camera.x) * ratio, y: at.y - (at.y - camera.y) * ratio };
}

/**
 * Returns the factor by which one event of the wheel zooms.
 *
 * @param {number} deltaY of the event; a notched wheel's large steps are limited
 */
function wheelFactor(deltaY) {
  return Math.exp(-clamp(deltaY, -25, 25) / 100);
}

/**
 * Returns the picture coordinates of a point of the canvas.
 *
 * @param {Point} point CSS pixels of the canvas
 * @param {Camera} camera
 * @returns {Point}
 */
function toPicture({ x, y }, camera) {
  return { x: (x - camera.x) / camera.scale, y: (y - camera.y) / camera.scale };
}

/**
 * Returns where the tooltip begins along one axis: after the pointer, or before it where there is no room.
 *
 * @param {number} at of the pointer
 * @param {number} length of the tooltip
 * @param {number} room length of the canvas
 */
function tipOffset(at, length, room) {
  return Math.max(0, at + 14 + length > room ? at - 10 - length : at + 14);
}

/**
 * Returns the smallest box under a point, the uppermost of equal ones; null if there is none.
 *
 * @param {Layer[]} layers bottom to top
 * @param {Point} point picture coordinates
 * @param {number} slack widens the boxes, picture pixels
 * @returns {Hit | null}
 */
function boxAt(layers, { x, y }, slack) {
  let best = null;
  let smallest = Infinity;
  for (const layer of layers) {
    for (let i = 0; i < layer.boxes.length; i += 4) {
      const [x1, y1] = [layer.boxes[i], layer.boxes[i + 1]];
      const [x2, y2] = [layer.boxes[i + 2], layer.boxes[i + 3]];
      if (!(x >= x1 - slack && x <= x2 + slack && y >= y1 - slack && y <= y2 + slack)) continue;
      const area = (x2 - x1) * (y2 - y1);
      if (area <= smallest) [best, smallest] = [{ layer, index: i / 4 }, area];
    }
  }
  return best;
}

/**
 * Returns the value of a heat map at a point of the picture; null outside of it and while it has no values.
 *
 * @param {Pick<Heat, "extent" | "rows" | "columns" | "steps" | "scale">} heat
 * @param {Point} point picture coordinates
 */
function heatAt({ extent: [x1, y1, x2, y2], rows, columns, steps, scale }, { x, y }) {
  const column = Math.floor(((x - x1) / (x2 - x1)) * columns);
  const row = Math.floor(((y - y1) / (y2 - y1)) * rows);
  if (column < 0 || row < 0 || column >= columns || row >= rows || !steps.length) return null;
  return (steps[row * columns + column] / 255) * scale;
}

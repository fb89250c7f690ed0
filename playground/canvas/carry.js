// A box that can be dragged although nothing is edited: the one that an anchor has to predict. It becomes a dial.

/** @type {Carried | null} */
let carried = null;  // under the pointer

/** Returns the layer whose one box can be dragged, undefined if none is visible. */
function findCarriable() {
  return editing ? undefined : view.layers.find((layer) => layer.carries && layer.boxes.length && isVisible(layer));
}

/** @param {Layer} layer */
function cornersOf({ boxes: [x1, y1, x2, y2] }) {
  return { x1, y1, x2, y2 };
}

/**
 * Returns what a drag from a point would move, null for nothing.
 *
 * @param {Point} from picture coordinates
 * @param {number} reach how near to a handle counts, picture pixels
 * @returns {Carried | null}
 */
function carriedAt(from, reach) {
  const layer = findCarriable();
  if (!layer) return null;
  const original = cornersOf(layer);
  const handle = findHandle(original, from, reach);
  return handle || findBox([original], -1, from) >= 0 ? { original, handle, from, now: original } : null;
}

/**
 * Moves the box with the pointer.
 *
 * @param {Point} point picture coordinates
 */
function carry(point) {
  const layer = findCarriable();
  if (!carried || !layer) return;
  const { original, handle, from } = carried;
  const [dx, dy] = [point.x - from.x, point.y - from.y];
  const box = handle ? resizeBox(original, handle, dx, dy, view) : moveBox(original, dx, dy, view);
  if (box.x2 - box.x1 < 1 || box.y2 - box.y1 < 1) return;
  carried.now = box;
  keepCarried();
  schedule(true);
  live.dial("box", [layer.carries, ...edges(box)].join());
}

/** Keeps the box under the pointer where it is, although an older answer has come. */
function keepCarried() {
  const layer = findCarriable();
  if (carried && layer) layer.boxes.set(edges(carried.now));
}

/** @param {CanvasRenderingContext2D} ctx */
function paintCarriable(ctx) {
  const layer = findCarriable();
  if (layer) paintHandles(ctx, cornersOf(layer), camera);
}

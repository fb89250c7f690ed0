// Boxes of the ground truth as the editor handles them: moving, resizing, finding. Pure functions.

/** @type {Handle[]} */
const HANDLES = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];

/**
 * Returns a box with its corners in order, inside the picture, to a hundredth of a pixel so that Python's answer can be
 * recognised.
 *
 * @param {Corners} box
 * @param {Size} picture
 * @returns {Corners}
 */
function normalizeBox({ x1, y1, x2, y2 }, { width, height }) {
  /** @type {(value: number, limit: number) => number} */
  const inside = (value, limit) => Math.round(100 * clamp(value, 0, limit)) / 100;
  return {
    x1: inside(Math.min(x1, x2), width), y1: inside(Math.min(y1, y2), height),
    x2: inside(Math.max(x1, x2), width), y2: inside(Math.max(y1, y2), height),
  };
}

/**
 * Returns a box moved inside the picture without changing its size.
 *
 * @param {Corners} box
 * @param {number} dx
 * @param {number} dy
 * @param {Size} picture
 */
function moveBox(box, dx, dy, picture) {
  const x = clamp(dx, -box.x1, picture.width - box.x2);
  const y = clamp(dy, -box.y1, picture.height - box.y2);
  return normalizeBox({ x1: box.x1 + x, y1: box.y1 + y, x2: box.x2 + x, y2: box.y2 + y }, picture);
}

/**
 * Returns a box with the sides of a handle moved; a side may pass the opposite one.
 *
 * @param {Corners} box
 * @param {Handle} handle
 * @param {number} dx
 * @param {number} dy
 * @param {Size} picture
 */
function resizeBox(box, [sideX, sideY], dx, dy, picture) {
  return normalizeBox({
    x1: box.x1 + (sideX < 0 ? dx : 0), y1: box.y1 + (sideY < 0 ? dy : 0),
    x2: box.x2 + (sideX > 0 ? dx : 0), y2: box.y2 + (sideY > 0 ? dy : 0),
  }, picture);
}

/**
 * @param {Corners} box
 * @param {Handle} handle
 * @returns {Point}
 */
function handlePosition(box, [sideX, sideY]) {
  /** @type {(low: number, high: number, side: number) => number} */
  const along = (low, high, side) => (low + high + side * (high - low)) / 2;
  return { x: along(box.x1, box.x2, sideX), y: along(box.y1, box.y2, sideY) };
}

/**
 * Returns the handle of a box at a point, null if none is near.
 *
 * @param {Corners} box
 * @param {Point} point
 * @param {number} reach how near counts, picture pixels
 */
function findHandle(box, point, reach) {
  return HANDLES.find((handle) => {
    const { x, y } = handlePosition(box, handle);
    return Math.abs(x - point.x) <= reach && Math.abs(y - point.y) <= reach;
  }) ?? null;
}

/**
 * Returns the index of the box to select at a point, -1 if there is none: the selected one if it contains the point,
 * else the smallest.
 *
 * @param {Corners[]} boxes
 * @param {number} selected index, -1 for none
 * @param {Point} point
 */
function findBox(boxes, selected, { x, y }) {
  /** @type {(box: Corners) => boolean} */
  const contains = (box) => x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2;
  if (selected >= 0 && contains(boxes[selected])) return selected;
  let best = -1;
  boxes.forEach((box, index) => {
    if (contains(box) && (best < 0 || boxArea(box) < boxArea(boxes[best]))) best = index;
  });
  return best;
}

/** @param {Corners} box */
function boxArea({ x1, y1, x2, y2 }) {
  return (x2 - x1) * (y2 - y1);
}

/** @param {Corners} box */
function edges({ x1, y1, x2, y2 }) {
  return [x1, y1, x2, y2];
}

/**
 * True for two boxes that differ by no more than what is lost on the way to Python and back.
 *
 * @param {Corners} a
 * @param {Corners} b
 */
function isSameBox(a, b) {
  const other = edges(b);
  return edges(a).every((edge, i) => Math.abs(edge - other[i]) <= 0.05);
}

/**
 * Returns a text by which Python's answer to a change is recognised.
 *
 * @param {LabelledBox[]} boxes
 * @param {string[]} names of the classes
 */
function fingerprint(boxes, names) {
  return JSON.stringify(boxes.map((box) => [...edges(box).map((edge) => edge.toFixed(2)), names[box.label]]));
}

/**
 * @param {Layer} layer one with labels
 * @returns {LabelledBox[]}
 */
function readBoxes(layer) {
  return Array.from({ length: layer.count }, (_, i) => {
    const [x1, y1, x2, y2] = layer.boxes.subarray(4 * i, 4 * i + 4);
    return { x1, y1, x2, y2, label: layer.labels?.[i] ?? 0 };
  });
}

/**
 * Writes boxes into a layer, with their numbers; in the colours of their classes if these have any.
 *
 * @param {LabelledBox[]} boxes
 * @param {Layer} layer
 * @param {string[]} names
 * @param {string[]} colours
 */
function writeBoxes(boxes, layer, names, colours) {
  layer.count = boxes.length;
  layer.boxes = new Float32Array(boxes.flatMap(edges));
  layer.labels = boxes.map((box) => box.label);
  layer.values = layer.links = null;
  layer.captions = boxes.map((box, i) => describeBox(box, i, names));
  layer.colours = colours.length ? boxes.map((box) => colours[box.label] ?? layer.colour) : undefined;
  if (colours.length) layer.dashed = false;
}

/**
 * Returns the name of a box: its class and its number among all, as in the report on it.
 *
 * @param {LabelledBox} box
 * @param {number} index
 * @param {string[]} names
 */
function describeBox(box, index, names) {
  return `${names[box.label] ?? "new box"} ${index + 1}`;
}

/**
 * Returns a number with its noun in the singular or plural.
 *
 * @param {number} count
 * @param {string} noun
 */
function countNoun(count, noun) {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}

/**
 * Returns a box made wider and higher at its right and lower sides, at least a pixel and inside the picture.
 *
 * @param {Corners} box
 * @param {number} dx
 * @param {number} dy
 * @param {Size} picture
 */
function stretchBox(box, dx, dy, picture) {
  const [x, y] = [Math.max(dx, box.x1 + 1 - box.x2), Math.max(dy, box.y1 + 1 - box.y2)];
  return resizeBox(box, [1, 1], x, y, picture);
}

// ---- all that is drawn on a picture

/** @type {(label: number, mapping: number[]) => number} */
const mapLabel = (label, mapping) => mapping[label] ?? -1;

/**
 * Returns a drawing with the classes of its boxes replaced.
 *
 * @param {Drawn} drawn
 * @param {number[]} mapping new index of each class, -1 for none
 * @returns {Drawn}
 */
function relabelDrawn({ boxes, suggestions, rejected }, mapping) {
  return {
    boxes: boxes.map((box) => ({ ...box, label: mapLabel(box.label, mapping) })),
    suggestions: suggestions.map((box) => ({ ...box, label: mapLabel(box.label, mapping) })),
    rejected,
  };
}

/** @param {Drawn} drawn */
function copyDrawn({ boxes, suggestions, rejected }) {
  return { boxes: boxes.map((box) => ({ ...box })), suggestions: [...suggestions], rejected: [...rejected] };
}

/**
 * @param {LabelledBox[]} a
 * @param {LabelledBox[]} b
 */
function isSameDrawing(a, b) {
  return a.length === b.length && a.every((box, i) => box.label === b[i].label && isSameBox(box, b[i]));
}

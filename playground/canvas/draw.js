// Reading a view and painting it. Pure functions: nothing here knows the page.
//
// Measured without a GPU at 2,000 boxes: strokeRect on whole device pixels takes 8 ms, off them 19 ms, one path of all
// boxes 110 ms, a line dash 200 ms, dashes from a striped pattern 30 ms. Hence the snapping, the pattern, and DENSE.

const DENSE = 400;  // boxes of a layer; above, halos and dashes would run together, so lines are thin and translucent
const TAG_LIMIT = 60;
const VIRIDIS = ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725"];

function decodeBytes(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

const decodeFloats = (text) => (text === null ? null : new Float32Array(decodeBytes(text).buffer));

/** Reads the component's value; an empty one is a view without a picture. */
function decodeView(text) {
  if (!text) return { picture: null, layers: [], heat: null, classes: [], alt: "", editable: false };
  const view = JSON.parse(text);
  for (const layer of view.layers) {
    for (const name of ["boxes", "values", "links"]) layer[name] = decodeFloats(layer[name]);
  }
  if (view.heat) view.heat.steps = decodeBytes(view.heat.values);
  return view;
}

/** The value of a map at a place of the picture, null beside it and while the map is still to come. */
function heatAt({ extent: [x1, y1, x2, y2], rows, columns, steps, scale }, x, y) {
  const column = Math.floor(((x - x1) / (x2 - x1)) * columns);
  const row = Math.floor(((y - y1) / (y2 - y1)) * rows);
  if (column < 0 || row < 0 || column >= columns || row >= rows || !steps.length) return null;
  return (steps[row * columns + column] / 255) * scale;
}

function heatImage(heat) {
  const image = new ImageData(heat.columns, heat.rows);
  const cells = new Uint32Array(image.data.buffer);
  for (let i = 0; i < cells.length; i++) cells[i] = HEAT_COLOURS[heat.steps[i]];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [heat.columns, heat.rows];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

const rgb = (hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** The colour of each of the 256 steps of a map, as four bytes of an image; low steps let more of the picture through. */
const HEAT_COLOURS = new Uint32Array(Uint8ClampedArray.from({ length: 4 * 256 }, (_, at) => {
  const [step, channel] = [at >> 2, at % 4];
  if (channel === 3) return 90 + step * 0.45;
  const place = (step / 255) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const [low, high] = [rgb(VIRIDIS[below])[channel], rgb(VIRIDIS[below + 1])[channel]];
  return low + (high - low) * (place - below);
}).buffer);

function isDark(colour) {
  const [red, green, blue] = rgb(colour.slice(1));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 100;
}

const contrast = (colour) => (isDark(colour) ? "#fff" : "#000");

/** Paints picture, heat, boxes and tags. `camera` maps x to camera.x + camera.scale * x, in CSS pixels. */
function paint(ctx, view, picture, camera, isVisible) {
  const { ratio, scale, x, y } = camera;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  ctx.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
  ctx.imageSmoothingEnabled = ratio * scale < 4;  // further in, one wants to see the pixels
  ctx.drawImage(picture, 0, 0, view.width, view.height);
  if (view.heat && isVisible(view.heat)) {
    const [x1, y1, x2, y2] = view.heat.extent;
    ctx.imageSmoothingEnabled = false;  // a cell is one value
    view.heat.image ??= heatImage(view.heat);  // only where it is seen
    ctx.drawImage(view.heat.image, x1, y1, x2 - x1, y2 - y1);
    paintGrid(ctx, view.heat, ratio * scale);
  }
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  const layers = view.layers.filter(isVisible);
  for (const layer of layers) paintLayer(ctx, layer, camera);
  paintTags(ctx, layers, camera);
}

/** The borders of a map's cells, where cells are large enough to be told apart. */
function paintGrid(ctx, { extent: [x1, y1, x2, y2], rows, columns }, pixels) {
  const [across, down] = [(x2 - x1) / columns, (y2 - y1) / rows];
  if (Math.min(across, down) * pixels < 10) return;
  ctx.beginPath();
  const line = (...ends) => { ctx.moveTo(ends[0], ends[1]); ctx.lineTo(ends[2], ends[3]); };
  for (let i = 1; i < columns; i++) line(x1 + i * across, y1, x1 + i * across, y2);
  for (let i = 1; i < rows; i++) line(x1, y1 + i * down, x2, y1 + i * down);
  ctx.lineWidth = 1 / pixels;
  ctx.strokeStyle = "rgb(255 255 255 / 14%)";
  ctx.stroke();
}

function paintLayer(ctx, layer, camera) {
  const rects = deviceRects(ctx, layer, camera);
  const dense = isDense(layer);
  const width = Math.max(1, Math.round((dense ? 1 : layer.width) * camera.ratio));
  if (layer.fill) {
    ctx.fillStyle = layer.colour;
    eachRect(ctx, layer, rects, 0.15, (l, t, w, h) => ctx.fillRect(l, t, w, h));
  }
  if (layer.links) paintLinks(ctx, layer, camera);
  if (!dense) {
    ctx.strokeStyle = contrast(layer.colour);
    strokeRects(ctx, layer, rects, width + 2 * Math.round(camera.ratio), layer.dashed ? 0.3 : 0.55);
  }
  ctx.strokeStyle = layer.dashed && !dense ? stripes(ctx, layer.colour, camera.ratio) : layer.colour;
  strokeRects(ctx, layer, rects, width, dense ? Math.max(Math.sqrt(DENSE / layer.count), 0.25) : 1);
  ctx.globalAlpha = 1;
}

const isDense = (layer) => layer.count > DENSE;

/** Boxes as left, top, width, height on whole device pixels; those outside the canvas get no width. */
function deviceRects(ctx, layer, { ratio, scale, x, y }) {
  const rects = new Int32Array(layer.boxes.length);
  for (let i = 0; i < rects.length; i += 4) {
    const left = Math.round(ratio * (x + scale * layer.boxes[i]));
    const top = Math.round(ratio * (y + scale * layer.boxes[i + 1]));
    const right = Math.round(ratio * (x + scale * layer.boxes[i + 2]));
    const bottom = Math.round(ratio * (y + scale * layer.boxes[i + 3]));
    const seen = right >= 0 && bottom >= 0 && left <= ctx.canvas.width && top <= ctx.canvas.height;
    if (seen) rects.set([left, top, Math.max(right - left, 1), Math.max(bottom - top, 1)], i);
  }
  return rects;
}

function eachRect(ctx, layer, rects, alpha, draw) {
  for (let i = 0; i < rects.length; i += 4) {
    if (!rects[i + 2]) continue;
    ctx.globalAlpha = alpha * strength(layer, i / 4);
    draw(rects[i], rects[i + 1], rects[i + 2], rects[i + 3]);
  }
}

function strokeRects(ctx, layer, rects, width, alpha) {
  const shift = (width % 2) / 2;  // an odd line is sharp between two pixels
  ctx.lineWidth = width;
  eachRect(ctx, layer, rects, alpha, (l, t, w, h) => ctx.strokeRect(l + shift, t + shift, w, h));
}

/** Opacity of a box: a faint one must still be seen. */
const strength = (layer, i) => (layer.values ? 0.2 + 0.8 * Math.min(Math.max(layer.values[i], 0), 1) : 1);

function paintLinks(ctx, layer, camera) {
  ctx.strokeStyle = layer.colour;
  ctx.lineWidth = Math.max(1, Math.round(camera.ratio));
  for (let i = 0; i < layer.links.length; i += 4) {
    ctx.globalAlpha = 0.6 * strength(layer, i / 4);
    paintLink(ctx, layer.links.subarray(i, i + 4), camera);
  }
}

function paintLink(ctx, [x1, y1, x2, y2], { ratio, scale, x, y }) {
  ctx.beginPath();
  ctx.moveTo(ratio * (x + scale * x1), ratio * (y + scale * y1));
  ctx.lineTo(ratio * (x + scale * x2), ratio * (y + scale * y2));
  ctx.stroke();
}

const stripePatterns = new Map();

/** Diagonal stripes: a thin horizontal or vertical line filled with them looks dashed. */
function stripes(ctx, colour, ratio) {
  const key = colour + ratio;
  if (!stripePatterns.has(key)) {
    const size = Math.round(8 * ratio);
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const tileContext = tile.getContext("2d");
    tileContext.fillStyle = colour;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        if ((row + column) % size < 0.6 * size) tileContext.fillRect(column, row, 1, 1);
      }
    }
    stripePatterns.set(key, ctx.createPattern(tile, "repeat"));
  }
  return stripePatterns.get(key);
}

/** Captions where they cover neither each other nor boxes too small to carry one; upper layers first.
 *  `text` is the size of the text around the picture. */
function paintTags(ctx, layers, { ratio, scale, x, y, text: around }) {
  const [size, height] = [0.85 * around, Math.round(1.15 * around)];
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.font = `${size}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  const [right, bottom] = [ctx.canvas.width / ratio, ctx.canvas.height / ratio];
  const placed = [];
  for (const layer of layers.toReversed()) {
    for (let i = 0; i < layer.captions.length && placed.length < TAG_LIMIT; i++) {
      const [x1, y1, x2, y2] = layer.boxes.subarray(4 * i, 4 * i + 4);
      if (scale * (x2 - x1) < 20 || scale * (y2 - y1) < 12 || !layer.captions[i]) continue;
      const text = shortened(layer.captions[i]);
      const [left, edge] = [x + scale * x1, y + scale * y1];
      const width = ctx.measureText(text).width + 8;
      const tag = { left, top: edge < height ? edge : edge - height, width, height };
      const inside = tag.left >= -4 && tag.top >= -1 && tag.left + tag.width <= right && tag.top + height <= bottom;
      if (!inside || placed.some((other) => overlap(tag, other))) continue;
      placed.push(tag);
      ctx.globalAlpha = 0.9;
      ctx.fillStyle = layer.colour;
      ctx.fillRect(tag.left, tag.top, tag.width, height);
      ctx.globalAlpha = 1;
      ctx.fillStyle = contrast(layer.colour);
      ctx.fillText(text, tag.left + 4, tag.top + height / 2);
    }
  }
}

const shortened = (text) => (text.length > 30 ? `${text.slice(0, 29)}…` : text);

function overlap(a, b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && Math.abs(a.top - b.top) < a.height;
}

/** Paints one box so that it stands out, with its link. */
function paintHighlight(ctx, { layer, index }, camera) {
  const one = (array) => array && array.subarray(4 * index, 4 * index + 4);
  const single = { ...layer, boxes: one(layer.boxes), links: one(layer.links), count: 1, values: null, fill: true };
  paintLayer(ctx, { ...single, width: layer.width + 1.5, dashed: false }, camera);
}

/** The smallest box under a point, as { layer, index }, or null. `slack` widens boxes, in picture pixels. */
function boxAt(layers, px, py, slack) {
  let best = null;
  let smallest = Infinity;
  for (const layer of layers) {
    for (let i = 0; i < layer.boxes.length; i += 4) {
      const [x1, y1] = [layer.boxes[i], layer.boxes[i + 1]];
      const [x2, y2] = [layer.boxes[i + 2], layer.boxes[i + 3]];
      if (!(px >= x1 - slack && px <= x2 + slack && py >= y1 - slack && py <= y2 + slack)) continue;
      const area = (x2 - x1) * (y2 - y1);
      if (area <= smallest) [best, smallest] = [{ layer, index: i / 4 }, area];
    }
  }
  return best;
}

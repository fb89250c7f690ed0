// Painting a view on a canvas. Nothing here reads or changes the page.
//
// Measured without a GPU at 2,000 boxes: strokeRect on whole device pixels takes 8 ms, between them 19 ms, one path of
// all boxes 110 ms, a line dash 200 ms, dashes from a striped pattern 30 ms. Hence the snapping, the pattern, and the
// limit DENSE.

const DENSE = 400;  // boxes of a layer; above, halos and dashes would merge, so lines are thin and translucent
const TAG_LIMIT = 60;

/**
 * Paints the picture, the heat map, the visible layers and their tags.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {View} view
 * @param {HTMLImageElement} picture
 * @param {Camera} camera
 * @param {(item: LegendItem) => boolean} isVisible
 */
function paintView(ctx, view, picture, camera, isVisible) {
  const { ratio, scale, x, y } = camera;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  ctx.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
  ctx.imageSmoothingEnabled = ratio * scale < 4;  // closer, single pixels should be visible
  ctx.drawImage(picture, 0, 0, view.width, view.height);
  if (view.heat && isVisible(view.heat)) paintHeat(ctx, view.heat, ratio * scale);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  const layers = view.layers.filter(isVisible);
  for (const layer of layers.flatMap(splitColours)) paintLayer(ctx, layer, camera);
  paintTags(ctx, layers, camera);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Heat} heat
 * @param {number} pixels device pixels per picture pixel
 */
function paintHeat(ctx, heat, pixels) {
  const [x1, y1, x2, y2] = heat.extent;
  ctx.imageSmoothingEnabled = false;  // one flat colour per cell
  heat.image ??= heatImage(heat);
  ctx.drawImage(heat.image, x1, y1, x2 - x1, y2 - y1);
  paintGrid(ctx, heat, pixels);
}

/** @param {Heat} heat */
function heatImage(heat) {
  const image = new ImageData(heat.columns, heat.rows);
  const cells = new Uint32Array(image.data.buffer);
  for (let i = 0; i < cells.length; i++) cells[i] = HEAT_COLOURS[heat.steps[i]];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [heat.columns, heat.rows];
  context(canvas).putImageData(image, 0, 0);
  return canvas;
}

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Paints the borders of a heat map's cells where the cells are large enough to be distinguished.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Heat} heat
 * @param {number} pixels device pixels per picture pixel
 */
function paintGrid(ctx, { extent: [x1, y1, x2, y2], rows, columns }, pixels) {
  const [cellWidth, cellHeight] = [(x2 - x1) / columns, (y2 - y1) / rows];
  if (Math.min(cellWidth, cellHeight) * pixels < 10) return;
  ctx.beginPath();
  for (let i = 1; i < columns; i++) addLine(ctx, x1 + i * cellWidth, y1, x1 + i * cellWidth, y2);
  for (let i = 1; i < rows; i++) addLine(ctx, x1, y1 + i * cellHeight, x2, y1 + i * cellHeight);
  ctx.lineWidth = 1 / pixels;
  ctx.strokeStyle = "rgb(255 255 255 / 14%)";
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function addLine(ctx, x1, y1, x2, y2) {
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Layer} layer
 * @param {Camera} camera
 */
function paintLayer(ctx, layer, camera) {
  const rects = deviceRects(layer.boxes, camera, ctx.canvas);
  const dense = isDense(layer);
  const width = Math.max(1, Math.round((dense ? 1 : layer.width) * camera.ratio));
  if (layer.fill) {
    ctx.fillStyle = layer.colour;
    eachRect(ctx, layer, rects, 0.15, (l, t, w, h) => ctx.fillRect(l, t, w, h));
  }
  if (layer.links) paintLinks(ctx, layer, layer.links, camera);
  if (!dense) {
    ctx.strokeStyle = contrast(layer.colour);
    strokeRects(ctx, layer, rects, width + 2 * Math.round(camera.ratio), 0.55);
  }
  ctx.strokeStyle = layer.dashed && !dense ? stripes(ctx, layer.colour, camera.ratio) : layer.colour;
  strokeRects(ctx, layer, rects, width, dense ? Math.max(Math.sqrt(DENSE / layer.count), 0.25) : 1);
  ctx.globalAlpha = 1;
}

/**
 * Returns a layer for each colour of a layer's boxes.
 *
 * @param {Layer} layer
 * @returns {Layer[]}
 */
function splitColours(layer) {
  const { colours, boxes, values } = layer;
  if (!colours) return [layer];
  return [...new Set(colours)].map((colour) => {
    const indices = colours.flatMap((each, index) => (each === colour ? [index] : []));
    return {
      ...layer, colour, colours: undefined,  // `count` stays: whether a layer is dense is about all of it
      boxes: new Float32Array(indices.flatMap((index) => [...boxes.subarray(4 * index, 4 * index + 4)])),
      values: values && new Float32Array(indices.map((index) => values[index])),
    };
  });
}

/** @param {LegendItem} item */
function isDense(item) {
  return item.count > DENSE;
}

/**
 * Returns boxes as left, top, width, height on whole device pixels; those outside the canvas have the width 0.
 *
 * @param {Float32Array} boxes
 * @param {Camera} camera
 * @param {Size} canvas device pixels
 */
function deviceRects(boxes, { ratio, scale, x, y }, canvas) {
  const rects = new Int32Array(boxes.length);
  for (let i = 0; i < rects.length; i += 4) {
    const left = Math.round(ratio * (x + scale * boxes[i]));
    const top = Math.round(ratio * (y + scale * boxes[i + 1]));
    const right = Math.round(ratio * (x + scale * boxes[i + 2]));
    const bottom = Math.round(ratio * (y + scale * boxes[i + 3]));
    const inside = right >= 0 && bottom >= 0 && left <= canvas.width && top <= canvas.height;
    if (inside) rects.set([left, top, Math.max(right - left, 1), Math.max(bottom - top, 1)], i);
  }
  return rects;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Layer} layer
 * @param {Int32Array} rects
 * @param {number} alpha of a box with the value 1
 * @param {(left: number, top: number, width: number, height: number) => void} paintRect
 */
function eachRect(ctx, layer, rects, alpha, paintRect) {
  for (let i = 0; i < rects.length; i += 4) {
    if (!rects[i + 2]) continue;
    ctx.globalAlpha = alpha * opacity(layer, i / 4);
    paintRect(rects[i], rects[i + 1], rects[i + 2], rects[i + 3]);
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Layer} layer
 * @param {Int32Array} rects
 * @param {number} width of the line, device pixels
 * @param {number} alpha
 */
function strokeRects(ctx, layer, rects, width, alpha) {
  const shift = (width % 2) / 2;  // a line of odd width is sharp between two pixels
  ctx.lineWidth = width;
  eachRect(ctx, layer, rects, alpha, (l, t, w, h) => ctx.strokeRect(l + shift, t + shift, w, h));
}

/**
 * Returns the opacity of a box: even one with the value 0 stays visible.
 *
 * @param {Layer} layer
 * @param {number} index
 */
function opacity(layer, index) {
  return layer.values ? 0.2 + 0.8 * clamp(layer.values[index], 0, 1) : 1;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Layer} layer
 * @param {Float32Array} links
 * @param {Camera} camera
 */
function paintLinks(ctx, layer, links, { ratio, scale, x, y }) {
  ctx.strokeStyle = layer.colour;
  ctx.lineWidth = Math.max(1, Math.round(ratio));
  for (let i = 0; i < links.length; i += 4) {
    ctx.globalAlpha = 0.6 * opacity(layer, i / 4);
    const [x1, y1, x2, y2] = links.subarray(i, i + 4);
    ctx.beginPath();
    const [left, right] = [ratio * (x + scale * x1), ratio * (x + scale * x2)];
    addLine(ctx, left, ratio * (y + scale * y1), right, ratio * (y + scale * y2));
    ctx.stroke();
  }
}

/** @type {Map<string, CanvasPattern>} */
const stripePatterns = new Map();

/**
 * Returns diagonal stripes: a thin horizontal or vertical line filled with them looks dashed.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} colour
 * @param {number} ratio device pixels per CSS pixel
 */
function stripes(ctx, colour, ratio) {
  if (ctx instanceof SvgContext) return DASHED + colour;
  const key = colour + ratio;
  const known = stripePatterns.get(key);
  if (known) return known;
  const size = Math.round(8 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const tileContext = context(tile);
  tileContext.fillStyle = colour;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if ((row + column) % size < 0.6 * size) tileContext.fillRect(column, row, 1, 1);
    }
  }
  const pattern = /** @type {CanvasPattern} */ (ctx.createPattern(tile, "repeat"));
  stripePatterns.set(key, pattern);
  return pattern;
}

/**
 * Paints one box highlighted, with its link.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Hit} hit
 * @param {Camera} camera
 */
function paintHighlight(ctx, { layer, index }, camera) {
  const [from, to] = [4 * index, 4 * index + 4];
  const [boxes, links] = [layer.boxes.subarray(from, to), layer.links && layer.links.subarray(from, to)];
  const colour = layer.colours?.[index] ?? layer.colour;
  const single = { ...layer, boxes, links, colour, count: 1, values: null, fill: true, dashed: false };
  paintLayer(ctx, { ...single, width: layer.width + 1.5 }, camera);
}

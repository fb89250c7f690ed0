// Tags: the captions of boxes, painted where they hide neither each other nor small boxes.

const MAX_CAPTION = 30;
const SEGMENTER = new Intl.Segmenter();
const [FIRST_STRONG_ISOLATE, POP_ISOLATE] = ["\u2068", "\u2069"];

/** @typedef {{left: number, top: number, width: number, height: number}} Tag CSS pixels of the canvas */

/**
 * Paints at most `TAG_LIMIT` tags, those of upper layers first.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Layer[]} layers bottom to top
 * @param {Camera} camera
 */
function paintTags(ctx, layers, camera) {
  const { ratio, text: fontSize } = camera;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.font = `${0.85 * fontSize}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  const canvas = { width: ctx.canvas.width / ratio, height: ctx.canvas.height / ratio };
  /** @type {Tag[]} */
  const placed = [];
  for (const layer of layers.toReversed()) {
    for (let i = 0; i < layer.captions.length && placed.length < TAG_LIMIT; i++) {
      const box = layer.boxes.subarray(4 * i, 4 * i + 4);
      if (!layer.captions[i] || !hasRoomForTag(box, camera.scale)) continue;
      const text = shorten(layer.captions[i]);
      const tag = tagOf(box, ctx.measureText(text).width, camera);
      if (!isInside(tag, canvas) || placed.some((other) => overlap(tag, other))) continue;
      placed.push(tag);
      paintTag(ctx, tag, text, layer.colours?.[i] ?? layer.colour);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Tag} tag
 * @param {string} text
 * @param {string} colour
 */
function paintTag(ctx, { left, top, width, height }, text, colour) {
  ctx.globalAlpha = 0.9;
  ctx.fillStyle = colour;
  ctx.fillRect(left, top, width, height);
  ctx.globalAlpha = 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();  // a letter can carry any number of accents
  ctx.fillStyle = contrast(colour);
  ctx.fillText(text, left + 4, top + height / 2);
  ctx.restore();
}

/**
 * @param {Float32Array} box
 * @param {number} scale CSS pixels per picture pixel
 */
function hasRoomForTag([x1, y1, x2, y2], scale) {
  return scale * (x2 - x1) >= 20 && scale * (y2 - y1) >= 12;
}

/**
 * Returns a box's tag: on top of its upper edge, or under that edge where the canvas ends above.
 *
 * @param {Float32Array} box
 * @param {number} textWidth
 * @param {Camera} camera
 * @returns {Tag}
 */
function tagOf([x1, y1], textWidth, { scale, x, y, text: fontSize }) {
  const height = Math.round(1.15 * fontSize);
  const edge = y + scale * y1;
  return { left: x + scale * x1, top: edge < height ? edge : edge - height, width: textWidth + 8, height };
}

/**
 * @param {Tag} tag
 * @param {Size} canvas
 */
function isInside({ left, top, width, height }, canvas) {
  return left >= -4 && top >= -1 && left + width <= canvas.width && top + height <= canvas.height;
}

/**
 * @param {Tag} a
 * @param {Tag} b
 */
function overlap(a, b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && Math.abs(a.top - b.top) < a.height;
}

/**
 * Returns a caption in at most `MAX_CAPTION` characters as people count them; a score at its end stays. The name is set
 * apart, since one that is written from right to left would draw the score to its other side.
 *
 * @param {string} text
 */
function shorten(text) {
  const [, name, score] = /** @type {RegExpExecArray} */ (/^(.*?)( \d[\d.]*)?$/s.exec(text));
  const room = MAX_CAPTION - (score ?? "").length;
  const characters = name.length > room ? [...SEGMENTER.segment(name)].map(({ segment }) => segment) : [];
  const shown = characters.length > room ? `${characters.slice(0, room - 1).join("")}…` : name;
  return `${FIRST_STRONG_ISOLATE}${shown}${POP_ISOLATE}${score ?? ""}`;
}

// A pad on which the reader draws a curve before the real one is shown; then both are compared.

const PAD = { width: 420, height: 210, left: 40, right: 8, top: 8, bottom: 34 };  // units of the pad's drawing
const KEY_STEP = 0.02;  // of the pad's height, by an arrow key; five times as much with Shift

/**
 * Returns the heights at all positions: those between drawn ones lie on straight lines, those beyond them are level.
 *
 * @param {(number | null)[]} heights null where nothing is drawn
 * @returns {number[]} empty if nothing is drawn
 */
function fillCurve(heights) {
  const drawn = heights.flatMap((height, at) => (height === null ? [] : [{ at, height }]));
  if (!drawn.length) return [];
  return heights.map((_, at) => {
    const after = drawn.find((each) => each.at >= at) ?? drawn[drawn.length - 1];
    const before = drawn.findLast((each) => each.at <= at) ?? drawn[0];
    if (after.at === before.at || after.at < at || before.at > at) return after.at < at ? before.height : after.height;
    return before.height + ((after.height - before.height) * (at - before.at)) / (after.at - before.at);
  });
}

/**
 * Sets the heights that a stroke passes, without gaps.
 *
 * @param {(number | null)[]} heights
 * @param {{at: number, height: number}} from
 * @param {{at: number, height: number}} to
 */
function addStroke(heights, from, to) {
  const steps = Math.max(1, Math.abs(to.at - from.at));
  for (let i = 0; i <= steps; i++) {
    const share = i / steps;
    heights[Math.round(from.at + (to.at - from.at) * share)] = from.height + (to.height - from.height) * share;
  }
}

/**
 * Returns where a drawn curve is furthest from the real one, both heights there, and the mean difference.
 *
 * @param {number[]} drawn
 * @param {number[]} truth as many
 */
function compareCurves(drawn, truth) {
  const differences = drawn.map((height, at) => Math.abs(height - truth[at]));
  const at = differences.indexOf(Math.max(...differences));
  const mean = differences.reduce((sum, each) => sum + each, 0) / differences.length;
  return { at, drawn: drawn[at], truth: truth[at], mean };
}

/** @param {number} value */
function shortNumber(value) {
  return Math.abs(value) < 0.005 ? "0" : String(Number(value.toPrecision(2)));
}

/**
 * Returns the comparison of a drawn curve with the real one, in words.
 *
 * @param {number[]} drawn
 * @param {CurveDrawing} drawing with its truth
 */
function describeCurve(drawn, { x, y, height, truth }) {
  if (!truth) return "";
  if (!drawn.length) return "You have not drawn a curve; the solid one is the real one.";
  const { at, drawn: mine, truth: real, mean } = compareCurves(drawn, truth);
  const share = Math.round((100 * mean) / height);
  if (share <= 3) return `Your curve is very close: on average ${share}% of the height away.`;
  return `The largest difference is at ${x} = ${shortNumber(at / (truth.length - 1))}: you drew ${y} `
    + `${shortNumber(mine)}, and it is ${shortNumber(real)}. On average your curve is ${share}% of the height away.`;
}

/**
 * Returns the points of a curve in the pad's units.
 *
 * @param {number[]} heights
 * @param {number} top the value at the top of the pad
 */
function padPoints(heights, top) {
  const [width, tall] = [PAD.width - PAD.left - PAD.right, PAD.height - PAD.top - PAD.bottom];
  return heights.map((height, at) => {
    const x = PAD.left + (width * at) / (heights.length - 1);
    const y = PAD.top + tall * (1 - Math.min(1, Math.max(0, height / top)));
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  }).join(" ");
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function svgNode(tag, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.textContent = text;
  return node;
}

/**
 * Draws the axes of a pad.
 *
 * @param {CurveDrawing} drawing
 */
function createAxes({ x, y, height }) {
  const [right, bottom] = [PAD.width - PAD.right, PAD.height - PAD.bottom];
  return [
    svgNode("path", { class: "pad-axes", d: `M${PAD.left} ${PAD.top}V${bottom}H${right}` }),
    ...[0, 0.5, 1].flatMap((share) => [
      svgNode("text", { x: PAD.left + share * (right - PAD.left), y: bottom + 14, "text-anchor": "middle" },
        String(share)),
      svgNode("text", { x: PAD.left - 5, y: bottom - share * (bottom - PAD.top) + 4, "text-anchor": "end" },
        String(share * height)),
    ]),
    svgNode("text", { x: (PAD.left + right) / 2, y: PAD.height - 4, "text-anchor": "middle" }, x),
    svgNode("text", { x: 11, y: (PAD.top + bottom) / 2, "text-anchor": "middle", class: "pad-y" }, y),
  ];
}

/**
 * Creates a pad; `changed` is called when the reader draws.
 *
 * @param {CurveDrawing} drawing
 * @param {(number | null)[]} heights what is drawn so far; changed in place
 * @param {() => void} changed
 */
function createCurvePad(drawing, heights, changed) {
  const pad = /** @type {SVGSVGElement} */ (svgNode("svg", {
    class: "lesson-pad", viewBox: `0 0 ${PAD.width} ${PAD.height}`, tabindex: 0, role: "slider",
    "aria-label": `Draw the curve: left and right choose ${drawing.x}, up and down move the curve there`,
    "aria-valuemin": 0, "aria-valuemax": drawing.height, "aria-orientation": "vertical",
  }));
  const lines = ["given", "truth", "mine"].map((kind) => svgNode("polyline", { class: `pad-${kind}` }));
  const cursor = svgNode("circle", { class: "pad-cursor", r: 5 });
  pad.append(...createAxes(drawing), ...lines, cursor);
  let at = Math.floor(heights.length / 2);  // where the keys draw
  let answered = drawing.truth !== null;
  /** @type {{at: number, height: number} | null} */
  let last = null;  // of the stroke in progress

  function paint() {
    const mine = fillCurve(heights);
    lines[0].setAttribute("points", padPoints(drawing.given, drawing.height));
    lines[1].setAttribute("points", drawing.truth ? padPoints(drawing.truth, drawing.height) : "");
    lines[2].setAttribute("points", mine.length ? padPoints(mine, drawing.height) : "");
    const here = mine[at] ?? drawing.height / 2;
    const [cx, cy] = padPoints(heights.map(() => here), drawing.height).split(" ")[at].split(",");
    cursor.setAttribute("cx", cx);
    cursor.setAttribute("cy", cy);
    pad.setAttribute("aria-valuenow", String(here));
    const place = `${drawing.x} ${shortNumber(at / (heights.length - 1))}`;
    pad.setAttribute("aria-valuetext", `${place}: ${mine.length ? shortNumber(here) : "nothing drawn"}`);
    pad.toggleAttribute("data-answered", answered);
  }

  /** @param {PointerEvent} event */
  function locate(event) {
    const bounds = pad.getBoundingClientRect();
    const scale = PAD.width / bounds.width;
    const x = ((event.clientX - bounds.left) * scale - PAD.left) / (PAD.width - PAD.left - PAD.right);
    const y = ((event.clientY - bounds.top) * scale - PAD.top) / (PAD.height - PAD.top - PAD.bottom);
    const clip = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    return { at: Math.round(clip(x) * (heights.length - 1)), height: (1 - clip(y)) * drawing.height };
  }

  /** @param {PointerEvent} event */
  function draw(event) {
    const now = locate(event);
    addStroke(heights, last ?? now, now);
    [last, at] = [now, now.at];
    paint();
    changed();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const upwards = { ArrowDown: -1, ArrowUp: 1 }[event.key] ?? 0;
    if (answered || (!sideways && !upwards)) return;
    event.preventDefault();
    at = Math.min(heights.length - 1, Math.max(0, at + sideways * (event.shiftKey ? 5 : 1)));
    if (upwards) {
      const step = KEY_STEP * drawing.height * (event.shiftKey ? 5 : 1);
      const here = fillCurve(heights)[at] ?? drawing.height / 2;
      heights[at] = Math.min(drawing.height, Math.max(0, here + upwards * step));
      changed();
    }
    paint();
  }

  pad.addEventListener("pointerdown", (event) => {
    if (answered || event.button !== 0 || !event.isPrimary) return;  // a second finger draws nothing
    pad.setPointerCapture(event.pointerId);
    draw(event);
  });
  pad.addEventListener("pointermove", (event) => { if (last && event.isPrimary) draw(event); });
  for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) {
    pad.addEventListener(kind, (event) => { if (event.isPrimary) last = null; });
  }
  pad.addEventListener("keydown", onKey);
  paint();

  /** @param {CurveDrawing} newer */
  const update = (newer) => {
    drawing = newer;
    answered = newer.truth !== null;
    paint();
  };
  return { node: /** @type {Element} */ (pad), update };
}

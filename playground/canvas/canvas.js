// The component: its state, the views it receives, the camera, and the tooltip. `element`, `trigger`, `props` and
// `server` come from Gradio. Texts from users only ever go through textContent.

const CACHED_PICTURES = 8;
const touch = matchMedia("(pointer: coarse)").matches;
const HINT_VIEW = touch ? "Two fingers: zoom" : "Ctrl/⌘ + scroll: zoom · drag: move · double click: fit";
const HINT_DRAW = `Drag: new box${touch ? "" : " (with Shift also inside another)"} · click: select, move, resize`;

/** @type {(name: string) => HTMLElement} */
const find = (name) => /** @type {HTMLElement} */ (element.querySelector(`.pic-${name}`));
const [stage, tip, legend, message, hint, wheelHint] = ["stage", "tip", "legend", "message", "hint", "wheel"].map(find);
const [base, top] = /** @type {HTMLCanvasElement[]} */ (["base", "top"].map(find));
const [drawButton, deleteButton] = /** @type {HTMLButtonElement[]} */ (["draw", "delete"].map(find));
const classSelect = /** @type {HTMLSelectElement} */ (find("class"));
const root = /** @type {HTMLElement} */ (element.querySelector(".pic"));

/** @type {Map<string, HTMLImageElement>} */
const pictures = new Map();  // by hash, latest last
/** @type {Camera} */
const camera = { zoom: 1, x: 0, y: 0, scale: 1, ratio: 1, text: 13 };
let view = decodeView("");
/** @type {HTMLImageElement | null} */
let picture = null;
/** @type {string | null} */
let incoming = props.value;  // newest value, not yet read
/** @type {View | null} */
let pending = null;  // view whose picture is being loaded
let size = { width: 0, height: 0 };  // of the canvas, CSS pixels
/** @type {Hit | null} */
let hovered = null;
/** @type {Point | null} */
let pointerAt = null;  // where the pointer hovers, CSS pixels of the canvas
let editing = false;
let frame = 0;
let dirty = { base: true, top: true };
let drawn = 0;

const editor = createEditor(
  {
    view: () => view,
    repaint: () => schedule(true),
    send: (boxes) => trigger("edit", { boxes, classes: view.classes, rejected: view.rejected }),
    showMessage: (sentence) => { message.textContent = sentence; },
    chosenClass: () => Number(classSelect.value),
  },
  showSelection,
);

// ---- views and pictures

/** @param {boolean} withBase false repaints only what lies over the picture: highlight and selection */
function schedule(withBase) {
  dirty.base ||= withBase;
  dirty.top = true;
  frame ||= requestAnimationFrame(render);
}

function render() {
  frame = 0;
  if (incoming !== null) receive(incoming);
  if (!picture || !resize()) return;
  if (dirty.base) {
    paintView(context(base), view, picture, camera, isVisible);
    root.dataset.drawn = String(++drawn);
    const counts = items().filter(isVisible).map((item) => [item.key, item.count]);
    root.dataset.layers = JSON.stringify(Object.fromEntries(counts));
    hover(pointerAt);
  }
  if (dirty.top) paintTop();
  dirty = { base: false, top: false };
}

function paintTop() {
  const ctx = context(top);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, top.width, top.height);
  if (hovered) paintHighlight(ctx, hovered, camera);
  if (editing) editor.paintSelection(ctx, camera);
}

/** @param {string} value */
function receive(value) {
  const next = decodeView(value);
  incoming = null;
  pending = null;
  if (next.picture === null) {
    show(next, null);
  } else if (pictures.has(next.picture)) {
    show(next, pictures.get(next.picture) ?? null);
  } else {
    pending = next;  // the old view stays until the picture is loaded
    load(next.picture);
  }
}

/** @param {string} key */
async function load(key) {
  try {
    const image = new Image();
    image.src = (await server.fetch_picture(key)) ?? "";
    await image.decode();
    pictures.set(key, image);
    const [oldest] = pictures.keys();
    if (pictures.size > CACHED_PICTURES) pictures.delete(oldest);
    if (pending?.picture !== key) return;
    show(pending, image);
    pending = null;
    schedule(true);
  } catch {
    if (pending?.picture === key) message.textContent = "The picture could not be loaded. Please reload the page.";
  }
}

/**
 * @param {View} next
 * @param {HTMLImageElement | null} image
 */
function show(next, image) {
  if (next.picture !== view.picture) {
    Object.assign(camera, { zoom: 1, x: 0, y: 0 });
    editor.reset();
  }
  [view, picture, hovered] = [next, image, null];
  editor.adopt(view);
  find("empty").hidden = picture !== null;
  find("tools").hidden = stage.hidden = picture === null;
  message.textContent = "";
  top.setAttribute("aria-label", view.alt);
  tip.hidden = true;
  dirty = { base: true, top: true };
  showClasses();
  showLegend();
  setEditing(editing);
}

// ---- size and camera

/** Fits the canvas to its container and the screen's pixel density; returns false while the container has no width. */
function resize() {
  const tallest = Number(getComputedStyle(root).getPropertyValue("--pic-most")) * window.innerHeight;
  const { width, height } = fitSize(root.clientWidth, tallest, view);
  if (width <= 0) return false;
  const ratio = window.devicePixelRatio || 1;
  if (width !== size.width || height !== size.height || ratio !== camera.ratio) {
    const growth = size.width ? width / size.width : 1;
    [camera.x, camera.y] = [camera.x * growth, camera.y * growth];
    size = { width, height };
    camera.ratio = ratio;
    camera.text = parseFloat(getComputedStyle(root).fontSize);
    for (const canvas of [base, top]) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    }
    [stage.style.width, stage.style.height] = [`${width}px`, `${height}px`];
    dirty = { base: true, top: true };
  }
  camera.scale = (camera.zoom * width) / view.width;
  return true;
}

/**
 * @param {number} x offset of the picture, CSS pixels
 * @param {number} y
 */
function moveTo(x, y) {
  [camera.x, camera.y] = [clampOffset(x, size.width, camera.zoom), clampOffset(y, size.height, camera.zoom)];
  camera.scale = (camera.zoom * size.width) / view.width;  // at once: a click may come before the next frame
  stage.classList.toggle("pic-zoomed", camera.zoom > 1);
  schedule(true);
  notifyOthers({ camera: { zoom: camera.zoom, x: camera.x / size.width, y: camera.y / size.height } });
}

/**
 * @param {number} factor
 * @param {Point} at stays where it is, CSS pixels of the canvas
 */
function zoomBy(factor, at = { x: size.width / 2, y: size.height / 2 }) {
  const { zoom, x, y } = zoomAround(camera, factor, at);
  camera.zoom = zoom;
  moveTo(x, y);
}

function fit() {
  camera.zoom = 1;
  moveTo(0, 0);
}

// ---- hovering

/** @param {Point | null} at CSS pixels of the canvas; null once the pointer has left */
function hover(at) {
  const point = at && toPicture(at, camera);
  const next = point && boxAt(view.layers.filter(isVisible), point, 2 / camera.scale);
  if (next?.layer !== hovered?.layer || next?.index !== hovered?.index) schedule(false);
  [pointerAt, hovered] = [at, next];
  const heat = view.heat && isVisible(view.heat) ? view.heat : null;
  const value = point && heat && heatAt(heat, point);
  tip.hidden = !hovered && value === null;
  if (at && hovered) showTip(boxLines(hovered), at);
  else if (at && heat && value !== null) showTip([heat.label, value.toPrecision(3)], at);
}

/** @param {Hit} hit */
function boxLines({ layer, index }) {
  return [layer.label, layer.captions[index] ?? "", layer.values ? layer.values[index].toFixed(3) : ""];
}

/**
 * @param {string[]} lines
 * @param {Point} at
 */
function showTip(lines, at) {
  tip.replaceChildren(...lines.filter(Boolean).map((line) => createNode("div", "", line)));
  tip.style.left = `${tipOffset(at.x, tip.offsetWidth, size.width)}px`;
  tip.style.top = `${tipOffset(at.y, tip.offsetHeight, size.height)}px`;
}

/**
 * @param {string} tag
 * @param {string} name of its class
 * @param {string} text
 */
function createNode(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

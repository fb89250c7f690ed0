// The component: its state, the views it receives, the camera, and the tooltip. `element`, `trigger`, `props` and
// `server` come from Gradio. Texts from users only ever go through textContent.

const CACHED_PICTURES = 8;
const touch = matchMedia("(pointer: coarse)").matches;
const HINT_VIEW = touch ? "Two fingers: zoom" : "Ctrl/⌘ + scroll: zoom · drag: move · double click: fit";
const HINT_DRAW = touch
  ? "One finger: new box, select, move, resize · two: zoom"
  : "Drag: new box (with Shift also inside another) · click: select, move, resize · ?: keys";

/** @type {(name: string) => HTMLElement} */
const find = (name) => /** @type {HTMLElement} */ (element.querySelector(`.pic-${name}`));
const [stage, tip, legend, message, hint, wheelHint] = ["stage", "tip", "legend", "message", "hint", "wheel"].map(find);
const [base, top] = /** @type {HTMLCanvasElement[]} */ (["base", "top"].map(find));
const [drawButton, deleteButton, undoButton, redoButton, allButton] =
  /** @type {HTMLButtonElement[]} */ (["draw", "delete", "undo", "redo", "all"].map(find));
const keysDialog = /** @type {HTMLDialogElement} */ (find("keys"));
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
/** @type {Point | null} */
let cross = null;  // where lines cross while a drag draws, or would draw, a box; CSS pixels of the canvas
let editing = false;
/** @type {boolean | null} */
let wantsEditing = null;  // what the visitor has chosen, null before
let frame = 0;
let dirty = { base: true, top: true };
let drawn = 0;

const editor = createEditor(
  {
    view: () => view,
    repaint: () => schedule(true),
    send: (edit) => tell("edit", edit),
    sendClass: (change) => tell("classes", change),
    showMessage: (sentence) => { message.textContent = sentence; },
    announce: say,
    askClass,
  },
  showSelection,
);
document.addEventListener("edit-answered", editor.noteAnswer);
document.addEventListener("picture-arrives", keepUnfinished);

/**
 * Fires an event about the picture that the visitor sees: the server may have gone on to another one.
 *
 * @param {string} name
 * @param {object} data
 */
function tell(name, data) {
  trigger(name, { ...data, pixels_key: view.pixels_key });
}

/**
 * Another picture would take what has not been sent yet with it.
 *
 * @param {Event} event cancelable
 */
function keepUnfinished(event) {
  if (editor.isUnfinished()) event.preventDefault();
}

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
  if (pointed) paintHighlight(ctx, pointed, camera);
  if (hovered) paintHighlight(ctx, hovered, camera);
  paintCarriable(ctx);
  if (!editing) return;
  const [selection, suggested] = [editor.selection(), view.layers.find(({ key }) => key === SUGGESTIONS)];
  if (suggested && editor.offer() >= 0) paintHighlight(ctx, { layer: suggested, index: editor.offer() }, camera);
  if (selection) paintHandles(ctx, selection, camera);
  if (cross) paintCross(ctx, cross, camera);
}

/**
 * Says something to those who cannot see the picture.
 *
 * @param {string} sentence
 */
function say(sentence) {
  const said = find("said");
  said.textContent = said.textContent === sentence ? `${sentence}\u00a0` : sentence;  // or it would not be said again
}

/** @param {string} value */
function receive(value) {
  const next = decodeView(value);
  if (value) find("empty").textContent = "No picture yet: choose one or upload your own.";
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
  }
  if (next.picture !== view.picture || next.width !== view.width || next.height !== view.height) {
    editor.reset();
    if (!naming.hidden) closeNaming();
  }
  [view, picture, hovered] = [next, image, null];
  editor.adopt(view);
  keepCarried();
  find("empty").hidden = picture !== null;
  find("tools").hidden = stage.hidden = picture === null;
  message.textContent = "";
  top.setAttribute("aria-label", view.alt);
  tip.hidden = true;
  dirty = { base: true, top: true };
  showEditing();
  showLegend();
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

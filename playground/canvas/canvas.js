// The component: its state, the views it is sent, the camera and hovering. `element`, `trigger`, `props` and
// `server` come from Gradio. Text of users only ever goes through textContent.

const KEPT_PICTURES = 8;
const [MIN_ZOOM, MAX_ZOOM] = [0.5, 40];  // out further than "fit", to see anchors that reach beyond the picture
const touch = matchMedia("(pointer: coarse)").matches;
const HINT_VIEW = touch ? "Two fingers: zoom" : "Ctrl/⌘ + scroll: zoom · drag: move · double click: fit";
const HINT_DRAW = `Drag: new box${touch ? "" : " (with Shift also inside another)"} · click: select, move, resize`;

const find = (name) => element.querySelector(`.pic-${name}`);
const [stage, base, top, tip, legend, message] = ["stage", "base", "top", "tip", "legend", "message"].map(find);
const [drawButton, classSelect, deleteButton, hint, wheelHint] = ["draw", "class", "delete", "hint", "wheel"].map(find);
const root = element.querySelector(".pic");

const pictures = new Map();  // hash → decoded image, latest last
const camera = { zoom: 1, x: 0, y: 0, scale: 1, ratio: 1, text: 13 };
let view = decodeView("");
let picture = null;
let incoming = props.value;  // newest value not yet read
let waiting = null;  // view whose picture is on its way
let size = { width: 0, height: 0 };  // of the canvas, CSS pixels
let hovered = null;
let pointerAt = null;  // where the pointer hovers, CSS pixels of the canvas
let editing = false;
let frame = 0;
let dirty = { base: true, top: true };
let drawn = 0;

const editor = createEditor(
  {
    view: () => view,
    repaint: () => schedule(true),
    send: (boxes) => trigger("edit", { boxes }),
    say: (sentence) => { message.textContent = sentence; },
    chosenClass: () => Number(classSelect.value),
  },
  showSelection,
);

// ---- views and pictures

function schedule(withBase) {
  dirty.base ||= withBase;
  dirty.top = true;
  frame ||= requestAnimationFrame(render);
}

function render() {
  frame = 0;
  if (incoming !== null) receive();
  if (!picture || !resize()) return;
  if (dirty.base) {
    paint(base.getContext("2d"), view, picture, camera, isVisible);
    root.dataset.drawn = ++drawn;
    const counts = items().filter(isVisible).map((item) => [item.key, item.count]);
    root.dataset.layers = JSON.stringify(Object.fromEntries(counts));
    hover(pointerAt);
  }
  if (dirty.top) paintTop();
  dirty = { base: false, top: false };
}

function paintTop() {
  const ctx = top.getContext("2d");
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, top.width, top.height);
  if (hovered) paintHighlight(ctx, hovered, camera);
  if (editing) editor.paintSelection(ctx, camera);
}

function receive() {
  const next = decodeView(incoming);
  incoming = null;
  waiting = null;
  if (next.picture === null) return show(next, null);
  if (pictures.has(next.picture)) return show(next, pictures.get(next.picture));
  waiting = next;  // until its picture is here, the old view stays
  load(next.picture);
}

async function load(key) {
  try {
    const image = new Image();
    image.src = (await server.fetch_picture(key)) ?? "";
    await image.decode();
    pictures.set(key, image);
    if (pictures.size > KEPT_PICTURES) pictures.delete(pictures.keys().next().value);
    if (waiting?.picture !== key) return;
    show(waiting, image);
    waiting = null;
    schedule(true);
  } catch {
    if (waiting?.picture === key) message.textContent = "The picture could not be loaded. Please reload the page.";
  }
}

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

/** Fits the canvas to its container and the screen's density; false while it has no size. */
function resize() {
  const tallest = getComputedStyle(root).getPropertyValue("--pic-most") * window.innerHeight;
  const width = Math.floor(Math.min(root.clientWidth, (tallest * view.width) / view.height));
  if (width <= 0) return false;
  const height = Math.round((width * view.height) / view.width);
  const ratio = window.devicePixelRatio || 1;
  if (width !== size.width || height !== size.height || ratio !== camera.ratio) {
    const grown = size.width ? width / size.width : 1;
    [camera.x, camera.y] = [camera.x * grown, camera.y * grown];
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

function moveTo(x, y) {
  const clamp = (offset, length) => {
    const spare = length - length * camera.zoom;
    return spare >= 0 ? spare / 2 : Math.min(Math.max(offset, spare), 0);
  };
  [camera.x, camera.y] = [clamp(x, size.width), clamp(y, size.height)];
  camera.scale = (camera.zoom * size.width) / view.width;  // now: a click may come before the next frame
  stage.classList.toggle("pic-zoomed", camera.zoom > 1);
  schedule(true);
  tellOthers({ place: { zoom: camera.zoom, x: camera.x / size.width, y: camera.y / size.height } });
}

function zoom(factor, at = { x: size.width / 2, y: size.height / 2 }) {
  const zoomed = Math.min(Math.max(camera.zoom * factor, MIN_ZOOM), MAX_ZOOM);
  const grown = zoomed / camera.zoom;
  camera.zoom = zoomed;
  moveTo(at.x - (at.x - camera.x) * grown, at.y - (at.y - camera.y) * grown);
}

function fit() {
  camera.zoom = 1;
  moveTo(0, 0);
}

function place(event) {
  const frame = top.getBoundingClientRect();
  return { x: event.clientX - frame.left, y: event.clientY - frame.top };
}

const toPicture = ({ x, y }) => ({ x: (x - camera.x) / camera.scale, y: (y - camera.y) / camera.scale });

// ---- hovering

function hover(at) {
  const { x, y } = at ? toPicture(at) : {};
  const next = at && boxAt(view.layers.filter(isVisible), x, y, 2 / camera.scale);
  if (next?.layer !== hovered?.layer || next?.index !== hovered?.index) schedule(false);
  [pointerAt, hovered] = [at, next];
  const heat = at && view.heat && isVisible(view.heat) ? heatAt(view.heat, x, y) : null;
  tip.hidden = !hovered && heat === null;
  if (hovered) showTip(boxLines(hovered), at);
  else if (heat !== null) showTip([view.heat.label, heat.toPrecision(3)], at);
}

const boxLines = ({ layer, index }) =>
  [layer.label, layer.captions[index] ?? "", layer.values ? layer.values[index].toFixed(3) : ""];

function showTip(lines, at) {
  tip.replaceChildren(...lines.filter(Boolean).map((line) => labelled("div", "", line)));
  const beside = (at, length, room) => Math.max(0, at + 14 + length > room ? at - 10 - length : at + 14);
  tip.style.left = `${beside(at.x, tip.offsetWidth, size.width)}px`;
  tip.style.top = `${beside(at.y, tip.offsetHeight, size.height)}px`;
}

function labelled(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

// Pointer, wheel, keys and buttons of the component, and its start.

/** @type {Record<string, string>} */
const CURSORS = { "-1,-1": "nwse", "1,1": "nwse", "1,-1": "nesw", "-1,1": "nesw", "0,-1": "ns", "0,1": "ns" };
/** @type {Map<number, Point>} */
const pointers = new Map();  // pointer id → last position
let drag = { kind: "", moved: false, start: { x: 0, y: 0 } };  // kind: "pan", "pinch", "edit" or "carry"
let wheelTimer = 0;

/**
 * Returns the position of a pointer in CSS pixels of the canvas.
 *
 * @param {MouseEvent} event
 * @returns {Point}
 */
function pointerPosition(event) {
  const bounds = top.getBoundingClientRect();
  return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
}

/**
 * Returns how near to a handle counts, in picture pixels.
 *
 * @param {PointerEvent} event
 */
function handleReach(event) {
  return (event.pointerType === "mouse" ? 7 : 16) / camera.scale;
}

/** @param {PointerEvent} event */
function onDown(event) {
  if (event.button !== 0) return;
  const at = pointerPosition(event);
  top.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at);
  if (pointers.size > 1) {
    editor.cancel();
    carried = null;
    drag = { kind: "pinch", moved: true, start: at };
    return;
  }
  carried = carriedAt(toPicture(at, camera), handleReach(event));
  const kind = carried ? "carry" : "pan";
  drag = { kind: editing ? "edit" : kind, moved: false, start: at };
  if (editing) editor.down(toPicture(at, camera), handleReach(event), event.shiftKey);
  hover(editing ? null : at);
  showCross(at, editor.isDrawing());
}

/**
 * @param {Point} at CSS pixels of the canvas
 * @param {boolean} shown
 */
function showCross(at, shown) {
  cross = shown ? at : null;
  if (editing) schedule(false);
}

/** @param {PointerEvent} event */
function onMove(event) {
  const at = pointerPosition(event);
  const before = pointers.get(event.pointerId);
  if (!before) {
    hover(at);
    if (!editing) {
      showCarry(at, handleReach(event));
      return;
    }
    top.style.cursor = cursorAt(toPicture(at, camera), handleReach(event));
    showCross(at, top.style.cursor === "crosshair");
    return;
  }
  if (drag.kind === "pinch" && pointers.size === 2) pinch(event.pointerId, before, at);
  pointers.set(event.pointerId, at);
  if (drag.kind === "edit") {
    editor.move(toPicture(at, camera));
    showCross(at, editor.isDrawing());
  }
  if (drag.kind !== "pan" && drag.kind !== "carry") return;
  drag.moved ||= Math.hypot(at.x - drag.start.x, at.y - drag.start.y) > 4;
  if (!drag.moved) return;
  hover(null);
  if (drag.kind === "carry") carry(toPicture(at, camera));
  else moveTo(camera.x + at.x - before.x, camera.y + at.y - before.y);
}

/**
 * Shows with the cursor that a box can be dragged.
 *
 * @param {Point} at CSS pixels of the canvas
 * @param {number} reach
 */
function showCarry(at, reach) {
  const under = carriedAt(toPicture(at, camera), reach);
  const cursor = under?.handle ? `${CURSORS[String(under.handle)] ?? "ew"}-resize` : "move";
  top.style.cursor = under ? cursor : "";
}

/**
 * Zooms and moves with two fingers: the part of the picture between them stays between them.
 *
 * @param {number} id of the finger that moves
 * @param {Point} before
 * @param {Point} at
 */
function pinch(id, before, at) {
  const other = [...pointers].find(([key]) => key !== id)?.[1] ?? at;
  /** @type {(point: Point) => number} */
  const distance = (point) => Math.max(Math.hypot(point.x - other.x, point.y - other.y), 1);
  [camera.x, camera.y] = [camera.x + (at.x - before.x) / 2, camera.y + (at.y - before.y) / 2];
  zoomBy(distance(at) / distance(before), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
}

/** @param {PointerEvent} event */
function onUp(event) {
  if (!pointers.delete(event.pointerId)) return;
  const { kind, moved } = drag;
  carried = null;
  if (event.pointerType === "touch") cross = null;
  if (event.type === "pointercancel") editor.cancel();
  else if (kind === "edit") editor.up(event.pointerType === "touch");
  else if (!moved && ["pan", "carry"].includes(kind)) pick(toPicture(pointerPosition(event), camera), 2 / camera.scale);
}

/**
 * Sends a click to Python: the point, and the smallest visible box under it.
 *
 * @param {Point} point picture coordinates
 * @param {number} slack
 */
function pick(point, slack) {
  const hit = boxAt(view.layers.filter(isVisible), point, slack);
  tellSelected(hit ? `${hit.layer.key} ${hit.index}` : "");
  tell("select", { x: point.x, y: point.y, layer: hit?.layer.key ?? "", index: hit?.index ?? -1 });
}

/**
 * @param {Point} point picture coordinates
 * @param {number} reach
 */
function cursorAt(point, reach) {
  const handle = editor.handleAt(point, reach);
  if (handle) return `${CURSORS[String(handle)] ?? "ew"}-resize`;
  if (editor.indexAt(point) >= 0) return "move";
  return findBox(editor.suggestions(), -1, point) < 0 ? "crosshair" : "pointer";
}

/**
 * Zooms with Ctrl or ⌘, which a trackpad's pinch sends too; otherwise the page scrolls as usual.
 *
 * @param {WheelEvent} event
 */
function onWheel(event) {
  if (!event.ctrlKey && !event.metaKey) {
    wheelHint.classList.add("pic-shown");
    clearTimeout(wheelTimer);
    wheelTimer = setTimeout(() => wheelHint.classList.remove("pic-shown"), 1200);
    return;
  }
  event.preventDefault();
  zoomBy(wheelFactor(event.deltaY), pointerPosition(event));
}

/**
 * Keeps the page's own pinch and scroll from taking over a gesture of two fingers.
 *
 * @param {TouchEvent} event
 */
function keepTouch(event) {
  if (event.touches.length > 1) event.preventDefault();
}

function onResize() {
  if (root.isConnected) {
    schedule(false);
    return;
  }
  window.removeEventListener("resize", onResize);
  document.removeEventListener("pic-sync", follow);
  document.removeEventListener("pic-layer", showLayer);
}

top.addEventListener("pointerdown", onDown);
top.addEventListener("pointermove", onMove);
top.addEventListener("pointerup", onUp);
top.addEventListener("pointercancel", onUp);
stage.addEventListener("pointerleave", () => {
  hover(null);
  showCross({ x: 0, y: 0 }, false);
});
top.addEventListener("keydown", onKey);
top.addEventListener("blur", editor.flush);  // a click elsewhere may show another picture
top.addEventListener("dblclick", () => { if (!editing) fit(); });
top.addEventListener("wheel", onWheel, { passive: false });
top.addEventListener("touchstart", keepTouch, { passive: false });
top.addEventListener("touchmove", keepTouch, { passive: false });
find("in").addEventListener("click", () => zoomBy(1.25));
find("out").addEventListener("click", () => zoomBy(0.8));
find("fit").addEventListener("click", fit);
deleteButton.addEventListener("click", editor.remove);
find("help").addEventListener("click", showKeys);
allButton.addEventListener("click", editor.acceptAll);
undoButton.addEventListener("click", () => editor.travel("undo"));
redoButton.addEventListener("click", () => editor.travel("redo"));
yesButton.addEventListener("click", () => takeOffer(editor.accept));
noButton.addEventListener("click", () => takeOffer(editor.reject));
classSelect.addEventListener("change", () => editor.relabel(Number(classSelect.value)));
drawButton.addEventListener("click", () => {
  wantsEditing = !editing;
  showEditing();
  showLegend();
  schedule(true);
});
connectClassBar();
window.addEventListener("resize", onResize);
document.addEventListener("pic-sync", follow);
document.addEventListener("pic-layer", showLayer);
new ResizeObserver(() => schedule(false)).observe(root);
/** @type {(value: string) => void} */
const receiveValue = (value) => {
  incoming = value;
  render();
};
watch("value", live.part(props.part, receiveValue, () => props.value, () => Object.fromEntries(toggles)));
schedule(true);

// Pointer, wheel, keys and buttons of the component, and what starts it.

const CURSORS = { "-1,-1": "nwse", "1,1": "nwse", "1,-1": "nesw", "-1,1": "nesw", "0,-1": "ns", "0,1": "ns" };
const pointers = new Map();  // pointer id → last place
let drag = null;  // {kind: "pan" | "pinch" | "edit", moved, start}
let wheelTimer = 0;

function place(event) {
  const bounds = top.getBoundingClientRect();
  return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
}

/** How near to a handle counts, in picture pixels. */
const reach = (event) => (event.pointerType === "mouse" ? 7 : 16) / camera.scale;

function onDown(event) {
  if (event.button !== 0) return;
  const at = place(event);
  top.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at);
  if (pointers.size > 1) {
    editor.cancel();
    drag = { kind: "pinch", moved: true };
    return;
  }
  drag = { kind: editing ? "edit" : "pan", moved: false, start: at };
  if (editing) editor.down(toPicture(at), reach(event), event.shiftKey);
  hover(editing ? null : at);
}

function onMove(event) {
  const at = place(event);
  const before = pointers.get(event.pointerId);
  if (!before) {
    hover(at);
    if (editing) top.style.cursor = cursorAt(toPicture(at), reach(event));
    return;
  }
  if (drag.kind === "pinch" && pointers.size === 2) pinch(event.pointerId, at);
  pointers.set(event.pointerId, at);
  if (drag.kind === "edit") editor.move(toPicture(at));
  if (drag.kind !== "pan") return;
  drag.moved ||= Math.hypot(at.x - drag.start.x, at.y - drag.start.y) > 4;
  if (!drag.moved) return;
  hover(null);
  moveTo(camera.x + at.x - before.x, camera.y + at.y - before.y);
}

/** Two fingers: what lies between them stays between them. */
function pinch(id, at) {
  const before = pointers.get(id);
  const other = [...pointers].find(([key]) => key !== id)[1];
  const distance = (point) => Math.max(Math.hypot(point.x - other.x, point.y - other.y), 1);
  [camera.x, camera.y] = [camera.x + (at.x - before.x) / 2, camera.y + (at.y - before.y) / 2];
  zoom(distance(at) / distance(before), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
}

function onUp(event) {
  if (!pointers.delete(event.pointerId)) return;
  const { kind, moved } = drag;
  if (event.type === "pointercancel") editor.cancel();
  else if (kind === "edit") editor.up();
  else if (kind === "pan" && !moved) pick(toPicture(place(event)), 2 / camera.scale);
}

/** Tells the page what lies under a click: the smallest box that is on show, or just the place. */
function pick({ x, y }, slack) {
  const under = boxAt(view.layers.filter(isVisible), x, y, slack);
  trigger("select", { x, y, layer: under?.layer.key ?? "", index: under?.index ?? -1 });
}

function cursorAt(point, slack) {
  const handle = editor.handleAt(point, slack);
  if (handle) return `${CURSORS[handle] ?? "ew"}-resize`;
  return editor.indexAt(point) < 0 ? "crosshair" : "move";
}

/** Zooms with Ctrl or ⌘, which a trackpad's pinch sends too; without, the page scrolls as everywhere. */
function onWheel(event) {
  if (!event.ctrlKey && !event.metaKey) {
    wheelHint.classList.add("pic-shown");
    clearTimeout(wheelTimer);
    wheelTimer = setTimeout(() => wheelHint.classList.remove("pic-shown"), 1200);
    return;
  }
  event.preventDefault();
  zoom(Math.exp(-Math.min(Math.max(event.deltaY, -25), 25) / 100), place(event));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = keyAction(event);
  if (!action) return;
  event.preventDefault();
  action();
}

/** What a key does here; undefined leaves it to the page, such as arrows while there is nothing to move. */
function keyAction({ key, shiftKey }) {
  const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const selected = editing && editor.selection();
  if (arrow && selected) return () => editor.nudge(...arrow.map((step) => step * (shiftKey ? 10 : 1)));
  if (arrow && camera.zoom > 1) return () => moveTo(camera.x - 40 * arrow[0], camera.y - 40 * arrow[1]);
  if (selected && (key === "Delete" || key === "Backspace")) return editor.remove;
  if (editing && key === "Escape") return editor.deselect;
  return { "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit }[key];
}

/** The page's own pinch and scroll would take a two-finger gesture over. */
const keepTouch = (event) => { if (event.touches.length > 1) event.preventDefault(); };

function onResize() {
  if (root.isConnected) return schedule(false);
  window.removeEventListener("resize", onResize);
  document.removeEventListener("pic-told", adopt);
  document.removeEventListener("pic-layer", showLayer);
}

const on = (node, listeners) => Object.entries(listeners).forEach(([name, fn]) => node.addEventListener(name, fn));
on(top, {
  pointerdown: onDown, pointermove: onMove, pointerup: onUp, pointercancel: onUp, keydown: onKey,
  pointerleave: () => hover(null),
  dblclick: () => { if (!editing) fit(); },
});
top.addEventListener("wheel", onWheel, { passive: false });
for (const name of ["touchstart", "touchmove"]) top.addEventListener(name, keepTouch, { passive: false });
on(find("in"), { click: () => zoom(1.25) });
on(find("out"), { click: () => zoom(0.8) });
on(find("fit"), { click: fit });
on(deleteButton, { click: editor.remove });
on(classSelect, { change: () => editor.relabel(Number(classSelect.value)) });
on(drawButton, {
  click: () => {
    setEditing(!editing);
    toggles.set(TRUTH, true);  // what one draws must be seen
    showLegend();
    schedule(true);
  },
});
window.addEventListener("resize", onResize);
document.addEventListener("pic-told", adopt);
document.addEventListener("pic-layer", showLayer);
new ResizeObserver(() => schedule(false)).observe(root);
const receiveOwn = live.part(props.part, (value) => {
  incoming = value;
  render();
}, () => props.value, () => Object.fromEntries(toggles));
watch("value", receiveOwn);
schedule(true);

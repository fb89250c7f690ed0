// The keys of the picture, which act while it has the focus, and the table that explains them.

/** The keys by what they do, in the order of the table. */
const KEYS = [
  ["1 … 9, 0", "Choose a class, also for the selected box"],
  ["C", "New class"],
  ["B", "New box in the middle"],
  ["Arrows", "Move the selected box by a pixel; with none selected, move about in a picture that is zoomed in"],
  ["Shift + arrows", "Resize it by a pixel; with Ctrl, both go by ten"],
  ["Tab or ]", "Select the next box or suggestion"],
  ["Shift + Tab or [", "Select the one before"],
  ["Delete", "Delete the box, or reject the suggestion"],
  ["Enter", "Accept the selected suggestion"],
  ["A", "Accept all suggestions"],
  ["Ctrl + Z", "Undo"],
  ["Ctrl + Shift + Z or Ctrl + Y", "Redo"],
  ["N", "Next picture"],
  ["+ and −", "Zoom; 0 fits the picture, where it is not the tenth class"],
  ["Escape", "Cancel, clear the selection; then Tab leaves the picture"],
  ["F", "Present the picture, or give the page its place back"],
  ["?", "Show this table"],
];

let leaving = false;  // Escape has been pressed with nothing to cancel

/** @type {(event: Pick<KeyboardEvent, "ctrlKey" | "metaKey">) => boolean} */
const hasCommand = ({ ctrlKey, metaKey }) => ctrlKey || metaKey;

/**
 * Returns the step of an arrow key, or undefined for other keys.
 *
 * @param {string} key
 * @returns {[number, number] | undefined}
 */
function arrowStep(key) {
  switch (key) {
    case "ArrowLeft": return [-1, 0];
    case "ArrowRight": return [1, 0];
    case "ArrowUp": return [0, -1];
    case "ArrowDown": return [0, 1];
    default: return undefined;
  }
}

/**
 * Returns what a key does here; undefined leaves it to the page, such as arrows while there is nothing to move.
 *
 * @param {KeyPress} event
 * @returns {(() => void) | undefined}
 */
function keyAction(event) {
  if (event.altKey) return undefined;
  return (editing ? editKey(event) : undefined) ?? (hasCommand(event) ? undefined : viewKey(event.key));
}

/**
 * Returns what a key does to the view.
 *
 * @param {string} key
 */
function viewKey(key) {
  const arrow = arrowStep(key);
  if (arrow && camera.zoom > 1) return () => moveTo(camera.x - 40 * arrow[0], camera.y - 40 * arrow[1]);
  if (key === "+" || key === "=") return () => zoomBy(1.25);
  if (key === "-") return () => zoomBy(0.8);
  if (key === "?") return showKeys;
  if (key === "f" || key === "F") return presentPicture;
  if (key === "Escape" && isPicked(location.search)) return clearPick;
  return key === "0" ? fit : undefined;
}

/**
 * True if an address says what was clicked, which the step then explains.
 *
 * @param {string} search of the address
 */
function isPicked(search) {
  return new URLSearchParams(search).has("pick");
}

/**
 * Returns what a key does to the drawing.
 *
 * @param {KeyPress} event
 */
function editKey(event) {
  const { key, shiftKey: shift } = event;
  const arrow = arrowStep(key);
  if (arrow) return editor.selection() ? () => adjustBox(arrow, shift, hasCommand(event)) : undefined;
  if (hasCommand(event)) return commandKey(key.toLowerCase(), shift);
  const label = classOfKey(key);
  if (label !== undefined && !shift) return digitKey(label);
  if (key === "Tab") return nextKey(shift ? -1 : 1);
  if (key === "]" || key === "[") return () => editor.selectNext(key === "]" ? 1 : -1, true);
  if (key === "Delete" || key === "Backspace") {
    return editor.selection() || editor.offer() >= 0 ? editor.remove : undefined;
  }
  if (key === "Enter") return editor.offer() >= 0 ? () => editor.accept(editor.offer()) : undefined;
  if (key === "Escape") return escape;
  return letterKey(key.toLowerCase());
}

/**
 * @param {[number, number]} arrow
 * @param {boolean} stretch
 * @param {boolean} far
 */
function adjustBox(arrow, stretch, far) {
  const [dx, dy] = arrow.map((step) => step * (far ? 10 : 1));
  if (stretch) editor.stretch(dx, dy);
  else editor.nudge(dx, dy);
}

/**
 * @param {string} key
 * @param {boolean} shift
 */
function commandKey(key, shift) {
  if (key === "z") return () => editor.travel(shift ? "redo" : "undo");
  return key === "y" ? () => editor.travel("redo") : undefined;
}

/** @param {string} key */
function letterKey(key) {
  switch (key) {
    case "a": return editor.suggestions().length ? editor.acceptAll : undefined;
    case "b": return placeBox;
    case "c": return view.free_classes ? askName : undefined;
    case "n": return view.draw_first || view.free_classes ? goOn : undefined;
    default: return undefined;
  }
}

/** @param {number} label */
function digitKey(label) {
  if (label < editor.names().length) return () => pickClass(label);
  return label === 9 ? undefined : () => say(`There is no class ${label + 1} yet.`);  // 0 fits the picture
}

/**
 * Returns what Tab does: beyond the last box, and after Escape, it leaves the picture.
 *
 * @param {1 | -1} step
 */
function nextKey(step) {
  return leaving || editor.nextPlace(step, false) < 0 ? undefined : () => editor.selectNext(step, false);
}

function escape() {
  giveUpUnnamed();
  leaving = !editor.isBusy() && !editor.selection() && editor.offer() < 0;
  if (leaving && isPicked(location.search)) clearPick();
  editor.deselect();
}

/** Asks for the next picture. */
function goOn() {
  if (editor.unnamed().length) {
    say("Choose the class of the new box first.");
    return;
  }
  editor.flush();
  trigger("next", {});
}

/** Draws a box in the middle of what is seen of the picture. */
function placeBox() {
  const middle = toPicture({ x: size.width / 2, y: size.height / 2 }, camera);
  const reach = Math.min(size.width, size.height) / camera.scale / 8;
  editor.place({ x1: middle.x - reach, y1: middle.y - reach, x2: middle.x + reach, y2: middle.y + reach });
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const action = keyAction(event);
  if (event.key !== "Escape") leaving = false;
  if (!action) return;
  event.preventDefault();
  action();
}

function showKeys() {
  const table = /** @type {HTMLTableElement} */ (keysDialog.querySelector("table"));
  table.replaceChildren(...KEYS.map(([keys, meaning]) => {
    const row = document.createElement("tr");
    row.append(createNode("th", "", keys), createNode("td", "", meaning));
    row.children[0].setAttribute("scope", "row");
    return row;
  }));
  keysDialog.showModal();
}

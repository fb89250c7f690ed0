// Boxes that the reader draws on the picture before the answer is shown; then they are compared with it.

const SAME = 0.3;  // IoU from which a drawn box means an object
const SMALLEST = 0.01;  // of the picture's sides: a smaller box is a slip
const KEYS_OF_MARK = "arrow keys move it, with Shift they resize it, Delete removes it";
const MOVE = 0.02;  // of the picture's sides, by an arrow key

/**
 * @param {Corners} a
 * @param {Corners} b
 */
function overlapOf(a, b) {
  const width = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const height = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const area = (/** @type {Corners} */ box) => (box.x2 - box.x1) * (box.y2 - box.y1);
  return (width * height) / (area(a) + area(b) - width * height || 1);
}

/**
 * Returns which object each box means: the one it overlaps most, -1 for none.
 *
 * @param {Corners[]} marks
 * @param {Corners[]} objects
 */
function matchMarks(marks, objects) {
  return marks.map((mark) => {
    const overlaps = objects.map((object) => overlapOf(mark, object));
    const best = Math.max(0, ...overlaps);
    return best >= SAME ? overlaps.indexOf(best) : -1;
  });
}

/** @param {string[]} names */
function listNames(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0];
}

/**
 * Returns the comparison of the drawn boxes with the missed objects, in words.
 *
 * @param {Corners[]} marks in shares of the picture's sides
 * @param {BoxesDrawing} drawing with its truth
 */
function describeMarks(marks, drawing) {
  const objects = objectsOf(drawing);
  const missed = objects.flatMap((object, index) => (object.missed ? [index] : []));
  const meant = matchMarks(marks, objects);
  const [hit, left] = [true, false].map((wanted) => missed.filter((index) => meant.includes(index) === wanted));
  const names = (/** @type {number[]} */ indices) => listNames(indices.map((index) => objects[index].name));
  const wrong = new Set(meant.filter((index) => index >= 0 && !objects[index].missed)).size;
  const nothing = meant.filter((index) => index < 0).length;
  if (!missed.length) return marks.length ? "No object is missed." : "Right: no object is missed.";
  const found = hit.length ? `: ${names(hit)}` : "";
  const noun = missed.length === 1 ? "object" : "objects";
  const said = [`You marked ${hit.length} of ${missed.length} missed ${noun}${found}.`];
  if (left.length) said.push(`Not marked: ${names(left)}.`);
  if (wrong === 1) said.push("One object that you marked is found.");
  if (wrong > 1) said.push(`${wrong} objects that you marked are found.`);
  if (nothing) said.push(nothing === 1 ? "One box means no object." : `${nothing} boxes mean no object.`);
  return said.join(" ");
}

/**
 * Returns the objects with their corners as shares of the picture's sides.
 *
 * @param {BoxesDrawing} drawing
 */
function objectsOf({ width, height, truth }) {
  return (truth ?? []).map(({ box: [x1, y1, x2, y2], ...rest }) => (
    { x1: x1 / width, y1: y1 / height, x2: x2 / width, y2: y2 / height, ...rest }));
}

/**
 * Moves a box, or its lower right corner, within the picture.
 *
 * @param {Corners} box changed in place
 * @param {number} dx
 * @param {number} dy
 * @param {boolean} resize
 */
function nudge(box, dx, dy, resize) {
  const clip = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => (
    Math.min(high, Math.max(low, value)));
  if (resize) {
    box.x2 = clip(box.x2 + dx, box.x1 + MOVE, 1);
    box.y2 = clip(box.y2 + dy, box.y1 + MOVE, 1);
    return;
  }
  const [moveX, moveY] = [clip(dx, -box.x1, 1 - box.x2), clip(dy, -box.y1, 1 - box.y2)];
  Object.assign(box, { x1: box.x1 + moveX, x2: box.x2 + moveX, y1: box.y1 + moveY, y2: box.y2 + moveY });
}

/**
 * Lays a sheet over the picture on which the reader draws boxes; `changed` is called then.
 *
 * @param {BoxesDrawing} drawing
 * @param {Corners[]} marks what is drawn so far; changed in place
 * @param {() => void} changed
 */
function createBoxMarks(drawing, marks, changed) {
  const stage = document.querySelector("#part-canvas .pic-stage, .side-b .pic-stage");
  const sheet = document.createElement("div");
  sheet.className = "lesson-marks";
  /** @type {HTMLElement | null} */ (document.querySelector(".side-b .pic-fit"))?.click();  // the sheet fits that alone
  stage?.append(sheet);
  /** @type {Point | null} */
  let from = null;

  /**
   * @param {Corners} box
   * @param {string} kind
   * @param {string} label
   * @returns {HTMLElement}
   */
  function createMark(box, kind, label) {
    const node = document.createElement(kind === "mine" ? "button" : "div");
    node.className = `lesson-mark mark-${kind}`;
    node.setAttribute("aria-label", label);
    if (kind !== "mine") node.setAttribute("role", "img");
    place(node, box);
    return node;
  }

  /**
   * @param {HTMLElement} node
   * @param {Corners} box
   */
  function place(node, { x1, y1, x2, y2 }) {
    const [left, top, width, height] = [x1, y1, x2 - x1, y2 - y1].map((share) => `${100 * share}%`);
    Object.assign(node.style, { left, top, width, height });
  }

  function paint() {
    const objects = objectsOf(drawing);
    const meant = matchMarks(marks, objects);
    const mine = marks.map((box, index) => {
      const node = createMark(box, "mine", `Box ${index + 1}: ${KEYS_OF_MARK}`);
      node.toggleAttribute("data-right", Boolean(objects[meant[index]]?.missed));
      node.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => onKey(event, index));
      return node;
    });
    const left = objects.filter((object, index) => object.missed && !meant.includes(index));
    sheet.replaceChildren(...mine, ...left.map((object) => createMark(object, "missed", `Missed: ${object.name}`)));
    sheet.toggleAttribute("data-answered", drawing.truth !== null);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} index
   */
  function onKey(event, index) {
    if (drawing.truth) return;
    const dx = { ArrowLeft: -MOVE, ArrowRight: MOVE }[event.key] ?? 0;
    const dy = { ArrowUp: -MOVE, ArrowDown: MOVE }[event.key] ?? 0;
    const gone = event.key === "Delete" || event.key === "Backspace";
    if (!dx && !dy && !gone) return;
    event.preventDefault();
    event.stopPropagation();
    if (gone) marks.splice(index, 1);
    else nudge(marks[index], dx, dy, event.shiftKey);
    paint();
    focusMark(gone ? marks.length - 1 : index);
    changed();
  }

  /** @param {number} index */
  function focusMark(index) {
    /** @type {HTMLElement | undefined} */ (sheet.querySelectorAll("button")[index])?.focus();
  }

  /** @param {PointerEvent} event */
  function locate(event) {
    const bounds = sheet.getBoundingClientRect();
    const clip = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    return {
      x: clip((event.clientX - bounds.left) / bounds.width), y: clip((event.clientY - bounds.top) / bounds.height),
    };
  }

  /** @param {PointerEvent} event */
  function stretch(event) {
    if (!from || !event.isPrimary) return;
    const to = locate(event);
    marks[marks.length - 1] = {
      x1: Math.min(from.x, to.x), y1: Math.min(from.y, to.y), x2: Math.max(from.x, to.x), y2: Math.max(from.y, to.y),
    };
    paint();
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (drawing.truth || event.button !== 0 || !event.isPrimary) return;  // a second finger draws nothing
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    from = locate(event);
    marks.push({ x1: from.x, y1: from.y, x2: from.x, y2: from.y });
  });
  sheet.addEventListener("pointermove", stretch);
  for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) {
    sheet.addEventListener(kind, (event) => {
      if (!from || !event.isPrimary) return;
      from = null;
      const { x1, y1, x2, y2 } = marks[marks.length - 1];
      if (x2 - x1 < SMALLEST || y2 - y1 < SMALLEST) marks.pop();
      paint();
      changed();
    });
  }
  paint();

  /** Adds a box in the middle of the picture, for the keyboard. */
  function add() {
    marks.push({ x1: 0.4, y1: 0.4, x2: 0.6, y2: 0.6 });
    paint();
    focusMark(marks.length - 1);
    changed();
  }

  /** @param {BoxesDrawing} newer */
  const update = (newer) => {
    drawing = newer;
    paint();
  };
  return { add, update, remove: () => sheet.remove() };
}

// Answers that readers draw: what they draw on, and how a drawing compares with the truth. `question.js` shows them.
/** @type {Map<string, (number | null)[]>} */
const curves = new Map();  // that the reader has drawn, by link of the step
/** @type {Map<string, Corners[]>} */
const boxes = new Map();
/** @type {{update(drawing: Drawing): void, remove?(): void} | null} */
let pad = null;  // of the drawing on show

/** Takes away what the reader draws on. */
function removeDrawing() {
  pad?.remove?.();
  pad = null;
  delete box.dataset.drawn;
}

/**
 * Shows what the reader draws on, the button that ends it, and how the drawing compares with the truth.
 *
 * @param {LessonState} state
 */
function showDrawing({ drawing, answered }) {
  if (box.dataset.drawn !== `${currentLink} ${drawing?.kind}`) {
    removeDrawing();
    box.dataset.drawn = `${currentLink} ${drawing?.kind}`;
    if (drawing) box.append(...createDrawing(drawing));
  }
  if (!drawing) return;
  pad?.update(drawing);
  const [done, said] = [".lesson-compare", ".lesson-compared"].map((name) => (
    /** @type {HTMLElement} */ (box.querySelector(name))));
  for (const button of box.querySelectorAll(".lesson-drawing button")) button.toggleAttribute("hidden", answered);
  done.toggleAttribute("hidden", answered);
  const text = drawing.truth === null ? "" : describeDrawing(drawing);
  if (said.textContent !== text) said.textContent = text;
}

/** @param {Drawing} drawing */
function describeDrawing(drawing) {
  if (drawing.kind === "curve") return describeCurve(fillCurve(curves.get(currentLink) ?? []), drawing);
  return describeMarks(boxes.get(currentLink) ?? [], drawing);
}

/** @param {Drawing} drawing */
function createDrawing(drawing) {
  const [tools, said] = [document.createElement("div"), document.createElement("p")];
  tools.className = "lesson-drawing";
  said.className = "lesson-compared";
  said.setAttribute("role", "status");
  const done = createButton("Compare", () => choose(0));
  done.className = "lesson-compare";
  const nodes = drawing.kind === "curve" ? createCurveTools(drawing) : createBoxTools(drawing);
  tools.append(...nodes, done);
  return [tools, said];
}

/** @param {CurveDrawing} drawing */
function createCurveTools(drawing) {
  const link = currentLink;
  if (!curves.has(link)) curves.set(link, drawing.given.map(() => null));
  const heights = curves.get(link) ?? [];
  const { node, update } = createCurvePad(drawing, heights, () => {});
  pad = { update: /** @type {(drawing: Drawing) => void} */ (update) };
  const again = createButton("Start again", () => {
    heights.fill(null);
    update(drawing);
  });
  const key = document.createElement("p");
  key.className = "lesson-key";
  key.textContent = "Draw with the mouse, a finger or the arrow keys. Grey: now. Dashed: yours. Solid: the real one.";
  return [node, key, again];
}

/** @param {BoxesDrawing} drawing */
function createBoxTools(drawing) {
  const marks = boxes.get(currentLink) ?? [];
  boxes.set(currentLink, marks);
  const count = document.createElement("p");
  count.className = "lesson-key";
  const say = () => {
    const drawn = `${marks.length} ${marks.length === 1 ? "box" : "boxes"} drawn.`;
    count.textContent = `Drag on the picture to draw boxes. ${drawn}`;
  };
  const sheet = createBoxMarks(drawing, marks, say);
  pad = { update: /** @type {(drawing: Drawing) => void} */ (sheet.update), remove: sheet.remove };
  say();
  return [count, createButton("Add a box", sheet.add), createButton("Start again", () => {
    marks.splice(0);
    sheet.update(drawing);
    say();
  })];
}

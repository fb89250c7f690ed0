// What the pointer does to the drawing: draw, select, move, resize, accept.

/**
 * Creates the gestures of an editor.
 *
 * @param {EditorHost} host
 * @param {ReturnType<typeof createDrawing>} drawing
 * @param {Picked} picked what is selected
 * @param {GestureEnds} editor
 */
function createGestures(host, drawing, picked, editor) {
  const { boxes, suggestions } = drawing;
  /** @type {Gesture | null} */
  let gesture = null;

  /**
   * Returns the handle of the selected box at a point, or null.
   *
   * @param {Point} point
   * @param {number} reach how near counts, picture pixels
   */
  const handleAt = (point, reach) => (picked.box < 0 ? null : findHandle(boxes()[picked.box], point, reach));

  /** @param {Point} point */
  const indexAt = (point) => findBox(boxes(), picked.box, point);

  /**
   * Begins a gesture: the pointer goes down.
   *
   * @param {Point} point picture coordinates
   * @param {number} reach how near to a handle counts, picture pixels
   * @param {boolean} drawNew true draws a new box, whatever is at the point
   */
  function down(point, reach, drawNew) {
    editor.flush();
    const handle = drawNew ? null : handleAt(point, reach);
    const under = drawNew ? -1 : indexAt(point);
    const index = handle ? picked.box : under;
    const before = picked.offer;
    editor.select(index);
    const original = index < 0 ? null : { ...boxes()[index] };
    /** @type {Gesture["kind"]} */
    const kind = original ? "move" : "draw";
    gesture = { kind: handle ? "resize" : kind, from: point, original, handle, reach, begun: false, offered: before };
    host.repaint();
  }

  /** @param {Point} point */
  function move(point) {
    if (!gesture) return;
    const { from, original, handle, reach } = gesture;
    const [dx, dy] = [point.x - from.x, point.y - from.y];
    gesture.begun ||= Math.max(Math.abs(dx), Math.abs(dy)) > reach / 2;  // a click trembles
    if (!gesture.begun) return;
    if (!original) draw(from, point);
    else if (handle) Object.assign(boxes()[picked.box], resizeBox(original, handle, dx, dy, host.view()));
    else Object.assign(boxes()[picked.box], moveBox(original, dx, dy, host.view()));
    drawing.refresh();
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  function draw(from, to) {
    const corners = normalizeBox({ x1: from.x, y1: from.y, x2: to.x, y2: to.y }, host.view());
    if (picked.box >= 0) Object.assign(boxes()[picked.box], corners);
    else if (!editor.add(corners)) gesture = null;
  }

  /** @param {boolean} [touch] a tap on a suggestion selects it first, since a finger cannot hover */
  function up(touch = false) {
    if (!gesture) return;
    const { begun, from, kind, offered: before } = gesture;
    gesture = null;
    if (!begun) choose(from, before, touch);
    else if (kind === "draw") editor.finish();
    else editor.commit();
  }

  /**
   * Accepts the suggestion under a click, unless a smaller box is there.
   *
   * @param {Point} point
   * @param {number} before the suggestion that was selected
   * @param {boolean} touch
   */
  function choose(point, before, touch) {
    const index = findBox(suggestions(), before, point);
    if (index < 0 || (picked.box >= 0 && boxArea(boxes()[picked.box]) <= boxArea(suggestions()[index]))) return;
    if (touch && index !== before) editor.select(-1, index);
    else editor.accept(index);
  }

  /** Undoes the gesture in progress. */
  function cancel() {
    if (!gesture) return;
    const { original } = gesture;
    gesture = null;
    if (original) {
      Object.assign(boxes()[picked.box], original);
    } else if (picked.box >= 0) {
      boxes().pop();  // the box being drawn
      editor.select(-1);
    }
    drawing.refresh();
  }

  return {
    down, move, up, cancel, handleAt, indexAt,
    isBusy: () => gesture !== null,
    isDrawing: () => gesture?.kind === "draw",
    stop: () => { gesture = null; },
  };
}

// Editing the ground truth: draw, select, move, resize, nudge, delete. Python decides: every finished change is sent,
// and the ground truth that comes back is shown.

const TRUTH = "truth";  // key of the layer
const ECHO_MS = 2000;  // how long an answer to an earlier change may still arrive
const NUDGE_MS = 250;  // a pause after which nudges are sent, so that a held key is one change

/**
 * Creates the editor.
 *
 * @param {EditorHost} host
 * @param {() => void} onSelection called when the selection may have changed
 */
function createEditor(host, onSelection) {
  /** @type {LabelledBox[]} */
  let boxes = [];
  let selected = -1;
  /** @type {Gesture | null} */
  let gesture = null;
  let nudgeTimer = 0;  // runs while a nudge is not yet sent
  /** @type {string[]} */
  let sent = [];  // fingerprints Python may still answer with, oldest first
  let sentAt = 0;

  /** @param {View} view */
  const findTruth = (view) => view.layers.find((layer) => layer.key === TRUTH);

  /** @param {number} index */
  function select(index) {
    selected = index;
    onSelection();
  }

  /**
   * Takes over the ground truth of a new view, unless the user has changed it since.
   *
   * @param {View} view
   */
  function adopt(view) {
    const layer = view.editable ? findTruth(view) : undefined;
    const edited = boxes;
    boxes = layer ? readBoxes(layer) : [];
    const incoming = fingerprint(boxes);
    const stale = sent.slice(0, -1).includes(incoming) && sent.at(-1) !== incoming && Date.now() - sentAt < ECHO_MS;
    if (layer && (gesture || nudgeTimer || stale)) {
      boxes = edited;
      writeBoxes(boxes, layer, view.classes);
    } else {
      sent = [incoming];
      if (selected >= boxes.length) selected = -1;
    }
    onSelection();
  }

  function refresh() {
    const view = host.view();
    const layer = findTruth(view);
    if (layer) writeBoxes(boxes, layer, view.classes);
    host.repaint();
  }

  function commit() {
    clearTimeout(nudgeTimer);
    nudgeTimer = 0;
    const current = boxes[selected];
    boxes = boxes.filter((box) => box.x2 - box.x1 >= 1 && box.y2 - box.y1 >= 1);
    selected = boxes.indexOf(current);
    sent.push(fingerprint(boxes));
    sentAt = Date.now();
    refresh();
    onSelection();
    host.send(boxes.map((box) => ({ ...box })));
  }

  /**
   * Returns the handle of the selected box at a point, or null.
   *
   * @param {Point} point
   * @param {number} reach how near counts, picture pixels
   */
  const handleAt = (point, reach) => (selected < 0 ? null : findHandle(boxes[selected], point, reach));

  /** @param {Point} point */
  const indexAt = (point) => findBox(boxes, selected, point);

  /**
   * Begins a gesture: the pointer goes down.
   *
   * @param {Point} point picture coordinates
   * @param {number} reach how near to a handle counts, picture pixels
   * @param {boolean} drawNew true draws a new box, whatever is at the point
   */
  function down(point, reach, drawNew) {
    if (nudgeTimer) commit();
    const handle = drawNew ? null : handleAt(point, reach);
    const under = drawNew ? -1 : indexAt(point);
    const index = handle ? selected : under;
    select(index);
    const original = index < 0 ? null : { ...boxes[index] };
    /** @type {Gesture["kind"]} */
    const kind = original ? "move" : "draw";
    gesture = { kind: handle ? "resize" : kind, from: point, original, handle, reach, begun: false };
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
    else if (handle) Object.assign(boxes[selected], resizeBox(original, handle, dx, dy, host.view()));
    else Object.assign(boxes[selected], moveBox(original, dx, dy, host.view()));
    refresh();
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  function draw(from, to) {
    const { max_boxes: limit } = host.view();
    if (selected < 0 && boxes.length >= limit) {
      gesture = null;
      host.showMessage(`At most ${limit} boxes can be drawn.`);
      return;
    }
    const box = normalizeBox({ x1: from.x, y1: from.y, x2: to.x, y2: to.y }, host.view());
    if (selected < 0) select(boxes.push({ ...box, label: host.chosenClass() }) - 1);
    Object.assign(boxes[selected], box);
  }

  function up() {
    const begun = gesture?.begun;
    gesture = null;
    if (begun) commit();
  }

  /** Undoes the gesture in progress. */
  function cancel() {
    if (!gesture) return;
    const { original } = gesture;
    gesture = null;
    if (original) {
      Object.assign(boxes[selected], original);
    } else if (selected >= 0) {
      boxes.pop();  // the box being drawn
      select(-1);
    }
    refresh();
  }

  function remove() {
    if (selected < 0) return;
    boxes.splice(selected, 1);
    select(-1);
    commit();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  function nudge(dx, dy) {
    Object.assign(boxes[selected], moveBox(boxes[selected], dx, dy, host.view()));
    refresh();
    clearTimeout(nudgeTimer);
    nudgeTimer = setTimeout(commit, NUDGE_MS);
  }

  function deselect() {
    cancel();
    select(-1);
    host.repaint();
  }

  /** @param {number} label */
  function relabel(label) {
    if (selected < 0) return;
    boxes[selected].label = label;
    commit();
  }

  /** Discards everything that is not sent: another picture follows. */
  function reset() {
    clearTimeout(nudgeTimer);
    [boxes, selected, gesture, nudgeTimer, sent] = [[], -1, null, 0, []];
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Camera} camera
   */
  function paintSelection(ctx, { ratio, scale, x, y }) {
    if (selected < 0) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.lineWidth = 1.5;
    for (const handle of HANDLES) {
      const position = handlePosition(boxes[selected], handle);
      ctx.fillStyle = "#fff";
      ctx.strokeStyle = "#000";
      ctx.beginPath();
      ctx.rect(x + scale * position.x - 4, y + scale * position.y - 4, 8, 8);
      ctx.fill();
      ctx.stroke();
    }
  }

  return {
    adopt, down, move, up, cancel, remove, nudge, deselect, relabel, reset, paintSelection, handleAt, indexAt,
    selection: () => boxes[selected] ?? null,
  };
}

// Editing the ground truth: draw, select, move, resize, nudge, delete. Python has the last word: every finished change
// is sent, and the truth layer that comes back is what is shown.

const TRUTH = "truth";
const HANDLES = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];  // sides each one moves
const ECHO_MS = 2000;  // within which an answer to an earlier change may still arrive

/**
 * `host` offers view(), camera(), repaint(), send(boxes), say(sentence) and chosenClass(); `changed` is called when
 * the selection has changed.
 */
function createEditor(host, changed) {
  let boxes = [];  // of {x1, y1, x2, y2, label}, in picture coordinates
  let selected = -1;
  let gesture = null;  // {kind: "draw" | "move" | "resize", from, original, handle}
  let unsent = 0;  // timer of a nudge not yet sent
  let sent = [];  // what Python may still answer to, oldest first
  let sentAt = 0;

  const truth = (view) => view.layers.find((layer) => layer.key === TRUTH);
  const edges = (box) => [box.x1, box.y1, box.x2, box.y2];
  const fingerprint = () => JSON.stringify(boxes.map((box) => [...edges(box).map((v) => v.toFixed(2)), box.label]));
  const select = (index) => { selected = index; changed(); };

  /** Takes over the truth of a new view, unless the user has gone on since. */
  function adopt(view) {
    const layer = view.editable && truth(view);
    const mine = boxes;
    boxes = layer ? toList(layer) : [];
    const incoming = fingerprint();
    const stale = sent.slice(0, -1).includes(incoming) && sent.at(-1) !== incoming && Date.now() - sentAt < ECHO_MS;
    if (layer && (gesture || unsent || stale)) {
      boxes = mine;
      write(layer, view);
    } else {
      sent = [incoming];
      if (selected >= boxes.length) selected = -1;
    }
    changed();
  }

  function toList(layer) {
    return Array.from({ length: layer.count }, (_, i) => {
      const [x1, y1, x2, y2] = layer.boxes.subarray(4 * i, 4 * i + 4);
      return { x1, y1, x2, y2, label: layer.labels[i] };
    });
  }

  function write(layer, view) {
    layer.count = boxes.length;
    layer.boxes = new Float32Array(boxes.flatMap(edges));
    layer.labels = boxes.map((b) => b.label);
    layer.captions = boxes.map((b) => view.classes[b.label] ?? "");
    layer.values = layer.links = null;
  }

  function refresh() {
    write(truth(host.view()), host.view());
    host.repaint();
  }

  function commit() {
    clearTimeout(unsent);
    unsent = 0;
    const current = boxes[selected];
    boxes = boxes.filter((box) => box.x2 - box.x1 >= 1 && box.y2 - box.y1 >= 1);
    selected = boxes.indexOf(current);
    sent.push(fingerprint());
    sentAt = Date.now();
    refresh();
    changed();
    host.send(boxes.map((box) => ({ ...box })));
  }

  /** Corners in order, inside the picture, to a hundredth of a pixel so that Python's answer can be recognised. */
  function tidy({ x1, y1, x2, y2 }) {
    const { width, height } = host.view();
    const inside = (value, limit) => Math.round(100 * Math.min(Math.max(value, 0), limit)) / 100;
    const [left, right] = [Math.min(x1, x2), Math.max(x1, x2)];
    const [top, bottom] = [Math.min(y1, y2), Math.max(y1, y2)];
    return { x1: inside(left, width), y1: inside(top, height), x2: inside(right, width), y2: inside(bottom, height) };
  }

  /** Moves a box without changing its size, kept inside the picture. */
  function shifted(box, dx, dy) {
    const { width, height } = host.view();
    const x = Math.min(Math.max(dx, -box.x1), width - box.x2);
    const y = Math.min(Math.max(dy, -box.y1), height - box.y2);
    return tidy({ x1: box.x1 + x, y1: box.y1 + y, x2: box.x2 + x, y2: box.y2 + y });
  }

  function handleAt(point, reach) {
    if (selected < 0) return null;
    const near = (place) => Math.abs(place.x - point.x) <= reach && Math.abs(place.y - point.y) <= reach;
    return HANDLES.find((handle) => near(handlePlace(boxes[selected], handle))) ?? null;
  }

  function handlePlace(box, [sideX, sideY]) {
    const along = (low, high, side) => (low + high + side * (high - low)) / 2;
    return { x: along(box.x1, box.x2, sideX), y: along(box.y1, box.y2, sideY) };
  }

  function indexAt(point) {
    const contains = (b) => point.x >= b.x1 && point.x <= b.x2 && point.y >= b.y1 && point.y <= b.y2;
    const area = (i) => (boxes[i].x2 - boxes[i].x1) * (boxes[i].y2 - boxes[i].y1);
    if (selected >= 0 && contains(boxes[selected])) return selected;
    let best = -1;
    for (let i = 0; i < boxes.length; i++) if (contains(boxes[i]) && (best < 0 || area(i) < area(best))) best = i;
    return best;
  }

  /** Pointer down at `point` (picture coordinates); `reach` is how near to a handle counts, `fresh` always draws. */
  function down(point, reach, fresh) {
    if (unsent) commit();
    const handle = fresh ? null : handleAt(point, reach);
    const index = handle ? selected : fresh ? -1 : indexAt(point);
    select(index);
    const original = index < 0 ? null : { ...boxes[index] };
    const kind = handle ? "resize" : original ? "move" : "draw";
    gesture = { kind, from: point, original, handle, reach, begun: false };
    host.repaint();
  }

  function move(point) {
    if (!gesture) return;
    const [dx, dy] = [point.x - gesture.from.x, point.y - gesture.from.y];
    gesture.begun ||= Math.max(Math.abs(dx), Math.abs(dy)) > gesture.reach / 2;  // a click trembles
    if (!gesture.begun) return;
    if (gesture.kind === "draw") draw(point);
    else if (gesture.kind === "move") Object.assign(boxes[selected], shifted(gesture.original, dx, dy));
    else Object.assign(boxes[selected], resized(gesture.original, gesture.handle, dx, dy));
    refresh();
  }

  function resized(box, [sideX, sideY], dx, dy) {
    return tidy({
      x1: box.x1 + (sideX < 0 ? dx : 0), y1: box.y1 + (sideY < 0 ? dy : 0),
      x2: box.x2 + (sideX > 0 ? dx : 0), y2: box.y2 + (sideY > 0 ? dy : 0),
    });
  }

  function draw(point) {
    const { max_boxes: limit } = host.view();
    if (selected < 0 && boxes.length >= limit) {
      gesture = null;
      host.say(`At most ${limit} boxes can be drawn.`);
      return;
    }
    const box = tidy({ x1: gesture.from.x, y1: gesture.from.y, x2: point.x, y2: point.y });
    if (selected < 0) select(boxes.push({ label: host.chosenClass() }) - 1);
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
    if (original) Object.assign(boxes[selected], original);
    else if (selected >= 0) {
      boxes.pop();  // the one just being drawn
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

  function nudge(dx, dy) {
    Object.assign(boxes[selected], shifted(boxes[selected], dx, dy));
    refresh();
    clearTimeout(unsent);
    unsent = setTimeout(commit, 250);  // a held key is one change
  }

  function deselect() {
    cancel();
    select(-1);
    host.repaint();
  }

  function relabel(label) {
    if (selected < 0) return;
    boxes[selected].label = label;
    commit();
  }

  /** Forgets everything unsent: another picture is coming. */
  function reset() {
    clearTimeout(unsent);
    [boxes, selected, gesture, unsent, sent] = [[], -1, null, 0, []];
  }

  function paintSelection(ctx, { ratio, scale, x, y }) {
    if (selected < 0) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.lineWidth = 1.5;
    for (const handle of HANDLES) {
      const place = handlePlace(boxes[selected], handle);
      ctx.fillStyle = "#fff";
      ctx.strokeStyle = "#000";
      ctx.beginPath();
      ctx.rect(x + scale * place.x - 4, y + scale * place.y - 4, 8, 8);
      ctx.fill();
      ctx.stroke();
    }
  }

  return {
    adopt, down, move, up, cancel, remove, nudge, deselect, relabel, reset, paintSelection, handleAt, indexAt,
    selection: () => boxes[selected] ?? null,
  };
}

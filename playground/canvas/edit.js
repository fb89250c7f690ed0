// Editing by hand: draw, select, move, resize, nudge, delete; accept and reject suggestions; undo.

const NUDGE_MS = 250;  // a pause after which nudges are sent, so that a held key is one change

/**
 * Creates the editor.
 *
 * @param {EditorHost} host
 * @param {() => void} onSelection called when the selection may have changed
 */
function createEditor(host, onSelection) {
  const drawing = createDrawing(host);
  const { boxes, suggestions, names } = drawing;
  /** @type {Picked} */
  const picked = { box: -1, offer: -1 };
  const gestures = createGestures(host, drawing, picked, { select, commit, flush, finish, accept, add });
  let nudgeTimer = 0;  // runs while a nudge is not yet sent

  /** @param {number} index */
  const nameOf = (index) => describeBox(boxes()[index], index, names());

  /**
   * @param {number} index of a box, -1 for none
   * @param {number} [suggestion]
   */
  function select(index, suggestion = -1) {
    [picked.box, picked.offer] = [index, suggestion];
    onSelection();
  }

  const isChanging = () => gestures.isBusy() || nudgeTimer > 0;

  /** @param {View} view */
  function adopt(view) {
    drawing.adopt(view, isChanging());
    if (picked.box >= boxes().length) picked.box = -1;
    if (picked.offer >= suggestions().length) picked.offer = -1;
    onSelection();
  }

  /** Sends the drawing; the selected box stays selected. */
  function commit() {
    clearTimeout(nudgeTimer);
    nudgeTimer = 0;
    const current = boxes()[picked.box];
    drawing.commit();
    select(current ? boxes().indexOf(current) : -1, picked.offer);
  }

  /** Sends what waits for a pause. */
  function flush() {
    if (nudgeTimer) commit();
  }

  const sayFull = () => host.showMessage(`At most ${host.view().max_boxes} boxes can be drawn: delete one first.`);

  /**
   * Adds a box of the chosen class and selects it; returns false if there is no room.
   *
   * @param {Corners} corners
   */
  function add(corners) {
    if (boxes().length >= host.view().max_boxes) {
      sayFull();
      return false;
    }
    select(boxes().push({ ...corners, label: drawing.chosen() }) - 1);
    return true;
  }

  /** Sends a new box, or asks for its class first. */
  function finish() {
    const box = boxes()[picked.box];
    if (box && box.label < 0 && box.x2 - box.x1 >= 1 && box.y2 - box.y1 >= 1) {
      host.askClass();
      return;
    }
    commit();
    if (picked.box >= 0) host.announce(`${nameOf(picked.box)} added`);
  }

  /** Deletes the selected box, or rejects the selected suggestion. */
  function remove() {
    if (picked.offer >= 0) reject(picked.offer);
    if (picked.box < 0) return;
    const name = nameOf(picked.box);
    boxes().splice(picked.box, 1);
    select(-1);
    commit();
    host.announce(`${name} deleted`);
  }

  /** @param {(box: LabelledBox) => Corners} change sent after a pause */
  function adjust(change) {
    if (picked.box < 0) return;
    Object.assign(boxes()[picked.box], change(boxes()[picked.box]));
    drawing.refresh();
    clearTimeout(nudgeTimer);
    nudgeTimer = setTimeout(() => {
      commit();
      if (picked.box < 0) return;
      const { x1, y1, x2, y2 } = boxes()[picked.box];
      const [at, span] = [[x1, y1].map(Math.round), [x2 - x1, y2 - y1].map(Math.round)];
      host.announce(`${nameOf(picked.box)} at ${at.join(", ")}, ${span.join(" × ")} pixels`);
    }, NUDGE_MS);
  }

  /** @type {(dx: number, dy: number) => void} */
  const nudge = (dx, dy) => adjust((box) => moveBox(box, dx, dy, host.view()));

  /** @type {(dx: number, dy: number) => void} */
  const stretch = (dx, dy) => adjust((box) => stretchBox(box, dx, dy, host.view()));

  function deselect() {
    gestures.cancel();
    select(-1);
    host.repaint();
  }

  /**
   * Chooses the class of new boxes; the selected box and those without a class get it too.
   *
   * @param {number} label
   */
  function relabel(label) {
    drawing.choose(label);
    const waiting = drawing.unnamed();
    const current = boxes()[picked.box];
    const changed = waiting.length ? waiting : [current].filter(Boolean);
    for (const box of changed) box.label = label;
    if (changed.length) commit();
    else onSelection();
    const index = changed.length ? boxes().indexOf(changed[0]) : -1;
    if (waiting.length && index >= 0) host.announce(`${nameOf(index)} added`);
    else host.announce(index < 0 ? `${names()[label]} chosen` : `now ${nameOf(index)}`);
  }

  /** Gives up the boxes whose class is still to be named; returns how many. */
  function dropUnnamed() {
    const waiting = drawing.unnamed();
    for (const box of waiting) boxes().splice(boxes().indexOf(box), 1);
    if (waiting.length) select(-1);
    drawing.refresh();
    return waiting.length;
  }

  /**
   * Draws a box without a pointer.
   *
   * @param {Corners} corners
   */
  function place(corners) {
    flush();
    if (!add(normalizeBox(corners, host.view()))) return;
    drawing.refresh();
    finish();
  }

  /**
   * Returns the place of the next box or, after the last one, suggestion; -1 at the end.
   *
   * @param {1 | -1} step
   * @param {boolean} wrap true goes on at the other end
   */
  function nextPlace(step, wrap) {
    const total = boxes().length + suggestions().length;
    const none = step > 0 ? -1 : total;
    const present = picked.offer < 0 ? picked.box : boxes().length + picked.offer;
    const next = (present < 0 ? none : present) + step;
    if (wrap && total) return (next + total) % total;
    return next < total ? next : -1;
  }

  /**
   * Selects the next box or suggestion.
   *
   * @param {1 | -1} step
   * @param {boolean} wrap true goes on at the other end
   */
  function selectNext(step, wrap) {
    flush();
    const [next, count] = [nextPlace(step, wrap), boxes().length];
    if (next < 0) return;
    if (next < count) select(next);
    else select(-1, next - count);
    const offer = suggestions()[next - count];
    host.announce(`${offer ? `suggestion ${describeSuggestion(offer, names())}` : nameOf(next)} selected`);
    host.repaint();
  }

  /** @param {number} index of a suggestion */
  function accept(index) {
    if (!drawing.accept([index])) {
      sayFull();
      return;
    }
    select(boxes().length - 1);
    host.announce(`suggestion accepted, ${suggestions().length} left`);
  }

  function acceptAll() {
    flush();
    const count = drawing.accept(suggestions().map((_, index) => index));
    const [left, limit] = [suggestions().length, host.view().max_boxes];
    if (left) host.showMessage(`At most ${limit} boxes can be drawn: ${countNoun(left, "suggestion")} left.`);
    select(-1);
    if (count) host.announce(`${countNoun(count, "suggestion")} accepted, ${left} left`);
  }

  /** @param {number} index of a suggestion */
  function reject(index) {
    drawing.reject(index);
    select(-1);
    host.announce(`suggestion rejected, ${suggestions().length} left`);
  }

  /** @param {"undo" | "redo"} direction */
  function travel(direction) {
    flush();
    gestures.cancel();
    const done = drawing.travel(direction);
    select(-1);
    host.announce(done ? `${direction === "undo" ? "undone" : "done again"}, ${countNoun(boxes().length, "object")}`
      : `nothing to ${direction}`);
  }

  /** Discards everything that is not sent: another picture follows. */
  function reset() {
    clearTimeout(nudgeTimer);
    [picked.box, picked.offer, nudgeTimer] = [-1, -1, 0];
    gestures.stop();
    drawing.reset();
  }

  return {
    ...drawing, ...gestures, adopt, commit, remove, nudge, stretch, deselect, relabel, dropUnnamed, place, nextPlace,
    selectNext, accept, acceptAll, reject, travel, reset, flush,
    isUnfinished: () => isChanging() || drawing.unnamed().length > 0,
    selection: () => boxes()[picked.box] ?? null,
    offer: () => picked.offer,
  };
}

// What is drawn on a picture: boxes, suggestions and classes. Python decides: every finished change is sent, and the
// ground truth that comes back is shown.

const TRUTH = "truth";  // key of the layer

/**
 * Creates the drawing, empty.
 *
 * @param {EditorHost} host
 */
function createDrawing(host) {
  /** @type {Drawn} */
  let drawn = { boxes: [], suggestions: [], rejected: [] };
  /** @type {Drawn | null} */
  let saved = null;  // as last sent or received; null before the first
  /** @type {string[]} */
  let names = [];
  /** @type {string[]} */
  let colours = [];  // of the classes, or empty
  /** @type {string[]} */
  let extras = [];  // names that Python does not know: no box has had them
  let chosen = -1;  // class of new boxes, -1 while none is chosen
  /** @type {ReturnType<typeof createHistory<Drawn>>} */
  const history = createHistory();
  const [boxEcho, classEcho] = [createEcho(), createEcho()];

  /** @type {(view: View, key: string) => Layer | undefined} */
  const findLayer = (view, key) => view.layers.find((layer) => layer.key === key);
  const classPrint = () => JSON.stringify([names, colours]);
  const unnamed = () => drawn.boxes.filter(({ label }) => label < 0);

  /** Shows the drawing. */
  function refresh() {
    write(host.view());
    host.repaint();
  }

  /** @param {View} view */
  function write(view) {
    [view.classes, view.class_colours] = [names, colours];
    const [truth, suggested] = [findLayer(view, TRUTH), findLayer(view, SUGGESTIONS)];
    if (truth) writeBoxes(drawn.boxes, truth, names, colours);
    if (suggested) writeSuggestions(drawn.suggestions, suggested, names, colours);
  }

  /**
   * Takes over the ground truth of a new view, unless the visitor has changed it since.
   *
   * @param {View} view
   * @param {boolean} busy true while a change is not finished
   */
  function adopt(view, busy) {
    const truth = view.editable ? findLayer(view, TRUTH) : undefined;
    if (!truth) {
      reset();
      return;
    }
    const incoming = readBoxes(truth);
    const late = boxEcho.isStale(fingerprint(incoming, view.classes))
      || classEcho.isStale(JSON.stringify([view.classes, view.class_colours]));
    if (!saved) drawn.rejected = view.rejected.map(([x1, y1, x2, y2]) => ({ x1, y1, x2, y2 }));
    const shown = view.classes;
    if (!(busy || late || unnamed().length)) takeOver(view, incoming);
    const offered = readSuggestions(findLayer(view, SUGGESTIONS), [...drawn.rejected, ...drawn.boxes]);
    drawn.suggestions = offered.map((box) => ({ ...box, label: names.indexOf(shown[box.label]) }));
    drawn.suggestions = drawn.suggestions.filter(({ label }) => label >= 0);
    saved = { ...(saved ?? copyDrawn(drawn)), suggestions: [...drawn.suggestions] };
    write(view);
  }

  /**
   * @param {View} view
   * @param {LabelledBox[]} incoming
   */
  function takeOver(view, incoming) {
    const before = names;
    [names, colours] = [[...view.classes], [...view.class_colours]];
    if (!view.free_classes) extras = [];
    for (const name of extras.filter((each) => findName(each, names) < 0)) append(name);
    extras = extras.filter((each) => !view.classes.includes(each));
    remap(before.map((name) => names.indexOf(name)));
    if (chosen < 0 && (names.length === 1 || !view.free_classes)) chosen = 0;
    if (saved && !isSameDrawing(saved.boxes, incoming)) history.push(saved);
    drawn.boxes = incoming;
    saved = copyDrawn(drawn);
    boxEcho.settle(fingerprint(incoming, view.classes));
    classEcho.settle(JSON.stringify([view.classes, view.class_colours]));
  }

  /** @param {string} name */
  function append(name) {
    names.push(name);
    if (colours.length === names.length - 1) colours.push(nextColour(colours, host.view().palette));
  }

  /** @param {number[]} mapping new index of each class, -1 for none */
  function remap(mapping) {
    const kept = history.all().every(({ boxes }) => boxes.every(({ label }) => mapLabel(label, mapping) >= 0));
    if (kept) history.map((state) => relabelDrawn(state, mapping));
    else history.clear();  // a class of theirs is gone
    saved = saved && relabelDrawn(saved, mapping);
    chosen = mapLabel(chosen, mapping);
  }

  /** Sends the drawing; boxes whose class is still to be named wait. */
  function commit() {
    drawn.boxes = drawn.boxes.filter((box) => box.x2 - box.x1 >= 1 && box.y2 - box.y1 >= 1);
    if (saved && JSON.stringify(saved) !== JSON.stringify(drawn)) history.push(saved);
    send();
  }

  function send() {
    saved = copyDrawn(drawn);
    saved.boxes = saved.boxes.filter(({ label }) => label >= 0);
    boxEcho.send(fingerprint(saved.boxes, names));
    classEcho.send(classPrint());
    extras = extras.filter((name) => !drawn.boxes.some(({ label }) => names[label] === name));
    refresh();
    host.send({ boxes: copyDrawn(saved).boxes, classes: [...names], rejected: [...drawn.rejected] });
  }

  /**
   * Goes back or forth by one change; returns false if there is none.
   *
   * @param {"undo" | "redo"} direction
   */
  function travel(direction) {
    const state = saved && history[direction](saved);
    if (!state) return false;
    drawn = copyDrawn(state);
    send();
    return true;
  }

  // ---- suggestions

  /**
   * Makes suggestions boxes of the drawing; returns how many there was room for.
   *
   * @param {number[]} indices
   */
  function accept(indices) {
    const taken = indices.slice(0, Math.max(host.view().max_boxes - drawn.boxes.length, 0));
    if (!taken.length) return 0;
    drawn.boxes.push(...taken.map((index) => {
      const { x1, y1, x2, y2, label } = drawn.suggestions[index];
      return { ...normalizeBox({ x1, y1, x2, y2 }, host.view()), label };
    }));
    drawn.suggestions = drawn.suggestions.filter((_, index) => !taken.includes(index));
    commit();
    return taken.length;
  }

  /** @param {number} index */
  function reject(index) {
    const [{ x1, y1, x2, y2 }] = drawn.suggestions.splice(index, 1);
    const limit = host.view().max_boxes;
    drawn.rejected = [...drawn.rejected, { x1, y1, x2, y2 }].slice(-limit);
    commit();
  }

  // ---- classes

  /**
   * Adds a class and returns its index; Python hears of it with the first box.
   *
   * @param {string} name
   */
  function addClass(name) {
    [names, colours, extras] = [[...names], [...colours], [...extras, name]];
    append(name);
    refresh();
    return names.length - 1;
  }

  /**
   * Changes a class here and tells Python, unless it has not heard of the class.
   *
   * @param {ClassChange} change
   */
  function alterClass({ action, index, value }) {
    const classes = names.filter((name) => !extras.includes(name));  // known to the server after all earlier events
    const known = !extras.includes(names[index]);
    const target = names[Number(value)];
    const isNew = action === "merge" && extras.includes(target);  // to Python, that is another name for the class
    if (known && isNew) extras = extras.filter((name) => name !== target);
    if (action === "rename") rename(index, String(value));
    else if (action === "merge") merge(index, Number(value));
    else colours = colours.map((colour, each) => (each === index ? String(value) : colour));
    refresh();
    if (!known) return;
    classEcho.send(classPrint());
    boxEcho.send(fingerprint(drawn.boxes, names));
    host.sendClass({ ...(isNew ? { action: "rename", index, value: target } : { action, index, value }), classes });
  }

  /**
   * @param {number} index
   * @param {string} name
   */
  function rename(index, name) {
    extras = extras.map((each) => (each === names[index] ? name : each));
    names = names.map((each, other) => (other === index ? name : each));
  }

  /**
   * @param {number} from
   * @param {number} into
   */
  function merge(from, into) {
    const mapping = mergeIndices(names.length, from, into);
    drawn = relabelDrawn(drawn, mapping);
    remap(mapping);
    extras = extras.filter((name) => name !== names[from]);
    names = names.filter((_, index) => index !== from);
    colours = colours.filter((_, index) => index !== from);
  }

  /** Notes that Python has handled the oldest change that it had not answered. */
  function noteAnswer() {
    boxEcho.answer();
    classEcho.answer();
  }

  /** Forgets everything but the classes: another picture follows. */
  function reset() {
    drawn = { boxes: [], suggestions: [], rejected: [] };
    saved = null;
    history.clear();
    boxEcho.clear();
  }

  return {
    adopt, refresh, commit, travel, accept, reject, addClass, alterClass, noteAnswer, reset,
    unnamed,
    boxes: () => drawn.boxes,
    suggestions: () => drawn.suggestions,
    names: () => names,
    colours: () => colours,
    chosen: () => chosen,
    choose: (/** @type {number} */ index) => { chosen = index; },
    undoable: () => history.sizes(),
  };
}

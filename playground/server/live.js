// From a knob to the picture, past Gradio's events, which take three times as long: a knob tells `live.set`, the server
// is asked once at a time, the newest settings last, and every part of the page paints what it gets. Gradio keeps the
// widgets and the hidden text of all settings, which its other events read; `sync` writes that text when a drag pauses
// and before anything is clicked.
window.live ??= (() => {
  const REST_MS = 400;  // after which a knob is taken to rest, and `sync` writes; longer than between taps of an arrow key
  const [FIRST, ...WAVES] = PAINT_STAGES;  // from `page_update.py`: each is painted once the frame with the one before is out
  const WAIT_MS = 250;  // after which the page says that it is computing
  const URL_OF_ANSWERS = "gradio_api/live";  // from where the page is, also behind a proxy; PATH in live.py
  const SILENT = "The server does not answer. Is it still running? Reload the page.";
  const CHECK_MS = 60;  // in which Gradio has handed out all parts of an answer
  const parts = new Map();  // name → {show, own, painted, switched}
  const look = {};  // what else is chosen in the browser, see `PageState`
  let settings = null;  // what the visitor wants
  let shown = "";  // what is on show, as `wanted` says it
  let synced = "";  // what `sync` wrote, until Gradio has told so
  let putOff = "";  // what has been answered but for what takes long, as `wanted` says it
  let restsAt = 0;  // when that is asked for, if no knob moves: what takes long would be in their way
  let resting = 0;
  let token = "";  // names the rest of what was asked: step, picture, selection
  let asking = null;  // what breaks off the question that is being answered
  let rounds = 0;  // answers of Gradio's events: what was asked before the last one is no news
  let revealed = false;  // a layer has been switched on meanwhile
  let timer = 0;
  let newest = {};  // what is being painted, by part
  let due = [];  // waves that are still to come
  let nextFrame = 0;  // after which the next one does
  let afterFrame = 0;
  let held = false;  // a slider is under a finger

  const wanted = () => JSON.stringify([settings, look]);
  const box = () => document.querySelector("#settings textarea");

  /** Registers a part; returns what paints the value that Gradio gave it. `switched` tells of its layers. */
  function part(name, paint, own, switched = () => ({})) {
    let painted = null;
    const show = (value) => { painted = value; paint(value); };
    if (name) parts.set(name, { show, own, painted: () => painted, switched });
    return () => show(own());
  }

  /** A knob has a new value. */
  function set(path, value) {
    if (keep(path, value)) setTimeout(pump);  // Gradio may be handing out many values at once
  }

  /** Takes in a value; false if it is no news. */
  function keep(path, value) {
    if (settings === null || JSON.stringify(settings[path]) === JSON.stringify(value)) return false;
    settings = { ...settings, [path]: value };
    clearTimeout(timer);
    timer = setTimeout(sync, REST_MS);
    return true;
  }

  /** A slider is moved or a box is ticked; Gradio tells a frame later. */
  function move(input) {
    const knob = input.matches?.("input[type=range], input[type=checkbox]") && input.closest(".knob")?.id;
    const path = knob && Object.keys(settings ?? {}).find((each) => `knob-${each.replaceAll(/[._]/g, "-")}` === knob);
    if (path && keep(path, input.type === "range" ? Number(input.value) : input.checked)) pump();
  }

  /** Something that is no hyperparameter has a new value. */
  function choose(name, value) {
    look[name] = value;
    setTimeout(pump);
  }

  /** Gradio's text of all settings has changed: by `sync`, which is no news, or because the server has set them. */
  function told(text) {
    const said = JSON.parse(text);
    const echo = JSON.stringify(said) === synced;  // once: later the same text may be the server's, as by undo
    synced = "";
    if (echo) return;  // a knob may have moved since
    settings = said;
    setTimeout(pump);
  }

  /** Hands the settings to Gradio's events. */
  function sync() {
    clearTimeout(timer);
    timer = 0;
    if (settings === null || !box() || wanted() === JSON.stringify([JSON.parse(box().value), look])) return;
    synced = JSON.stringify(settings);
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box(), synced);
    box().dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** One of Gradio's events has been answered: what that answer shows, and whether it is what is wanted by now. */
  function answered(state) {
    token = state.token;
    shown = JSON.stringify([JSON.parse(state.settings), state.look]);
    if (settings === null) settings = JSON.parse(state.settings);
    for (const [name, value] of Object.entries(state.look)) look[name] ??= value;
    rounds += 1;
    asking?.abort();
    stopPainting();
    [newest, due] = [{}, []];
    setTimeout(() => parts.forEach((each) => { if (each.painted() !== each.own()) each.show(each.own()); }));
    setTimeout(pump, CHECK_MS);
  }

  async function pump() {
    if (asking || !token || wanted() === shown) return;
    const [asked, round] = [wanted(), rounds];
    const brief = held || asked !== putOff;  // first without what takes long, which then has to be asked for
    clearTimeout(resting);
    if (!brief && performance.now() < restsAt) {
      resting = setTimeout(pump, restsAt - performance.now());
      return;
    }
    asking = new AbortController();
    revealed = false;
    const waiting = setTimeout(wait, WAIT_MS, true);
    const switched = parts.get("canvas")?.switched() ?? {};  // another picture beside it comes whole
    const sent = { token, settings: JSON.stringify(settings), ...look, held: brief, switched };
    let last = null;  // part of the answer
    try {
      for await (last of answers(sent, asking.signal)) if (round === rounds) paint(last);
    } finally {
      asking = null;
      clearTimeout(waiting);
      wait(false);
    }
    if (round !== rounds) return;  // it is asked again once Gradio has handed out all parts
    putOff = last.postponed ? asked : "";
    restsAt = performance.now() + REST_MS;
    // As shown also where it failed, or it would be asked again and again.
    shown = putOff && !held && !last.failed ? "" : asked;
    if (revealed) reveal();
    pump();
  }

  /** Asks the server; yields its answer part by part, the last of which says so if it failed. */
  async function* answers(sent, signal) {
    let last = null;
    try {
      const response = await fetch(URL_OF_ANSWERS, { method: "POST", body: JSON.stringify(sent), signal });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const lines = (rest + read.value).split("\n");
        rest = lines.pop();
        for (const line of lines) yield last = JSON.parse(line);
      }
    } catch (error) {
      last = null;
      if (!signal.aborted) console.warn(error);
    }
    if (!last) yield { failed: true, postponed: true, notice: SILENT };
  }

  /** A layer is to be seen that an answer in haste may have left out. */
  function reveal() {
    revealed = asking !== null;  // then it is the next answer that is asked for at once
    if (revealed || !putOff) return;
    [shown, restsAt] = ["", 0];
    pump();
  }

  function paint(answer) {
    if (answer.forgotten) {  // asked anew by an event of Gradio's, which knows all that was chosen
      sync();
      document.dispatchEvent(new Event("live-forgotten"));
      return;
    }
    for (const [name, value] of Object.entries(answer)) if (value !== null) newest[name] = value;
    due = [...new Set([...due, ...WAVES])];  // what has waited longest comes first
    if (paintAll(FIRST)) paintAfterFrame();
    else if (!nextFrame) paintNext();
  }

  function paintNext() {
    nextFrame = 0;
    while (due.length && !paintAll(due.shift()));  // what is as it was needs no frame
    if (due.length) paintAfterFrame();
  }

  function paintAfterFrame() {
    stopPainting();
    nextFrame = requestAnimationFrame(() => { afterFrame = setTimeout(paintNext); });
  }

  /** Paints the parts of a wave; false if nothing of it is new. */
  function paintAll(names) {
    const isNew = (name) => parts.has(name) && name in newest && newest[name] !== parts.get(name).painted();
    const news = names.filter(isNew);  // of what is on the page: the second picture need not be
    news.forEach((name) => parts.get(name).show(newest[name]));
    return news.length > 0;
  }

  function stopPainting() {
    cancelAnimationFrame(nextFrame);
    clearTimeout(afterFrame);
    nextFrame = 0;
  }

  /** Tells that the answer takes its time. */
  function wait(on) {
    document.body.toggleAttribute("data-waiting", on);
  }

  function hold(on) {
    if (held && !on && putOff) {
      shown = "";  // what takes long is due now
      setTimeout(pump);
    }
    held = on;
  }

  document.addEventListener("pointerdown", (event) => hold(event.target.matches?.("input[type=range]") ?? false), true);
  document.addEventListener("input", (event) => move(event.target), true);
  for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => hold(false), true);
  for (const kind of ["pointerdown", "keydown", "drop"]) {
    document.addEventListener(kind, () => { if (timer) sync(); }, true);
  }

  /** What is asked, for others that ask the server; null while Gradio's events would say something else. */
  const settled = () => (token && settings && !timer ? { token, settings: JSON.stringify(settings) } : null);

  return { part, set, choose, told, answered, settled, reveal };
})();

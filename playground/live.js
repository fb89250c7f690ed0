// From a knob to the picture, past Gradio's events, which take three times as long: a knob tells `live.set`, the server
// is asked once at a time, the newest settings last, and every part of the page paints what it gets. Gradio keeps the
// widgets and the hidden text of all settings, which its other events read; `sync` writes that text when a drag pauses
// and before anything is clicked.
window.live ??= (() => {
  const REST_MS = 400;  // after which a knob is taken to rest, and `sync` writes; longer than between taps of an arrow key
  const FIRST = ["canvas", "other", "notice"];  // painted at once
  // Painted in this order, each that has news once the frame with the one before is out.
  const WAVES = [
    ["figure", "more"],
    ["strip", "readout", "counts", "changes", "bar", "lesson", "checks"],
  ];
  const WAIT_MS = 250;  // after which the page says that it is computing
  const SILENT = "The server does not answer. Is it still running? Reload the page.";
  const CHECK_MS = 60;  // in which Gradio has handed out all parts of an answer
  const parts = new Map();  // name → {show, own, painted}
  const look = {};  // what else is chosen in the browser, see `Asked`
  let settings = null;  // what the visitor wants
  let shown = "";  // what is on show, as `wanted` says it
  let synced = "";  // what `sync` wrote, until Gradio has told so
  let putOff = "";  // what has been answered but for what takes long, as `wanted` says it
  let restsAt = 0;  // when that is asked for, if no knob moves: what takes long would be in their way
  let resting = 0;
  let token = "";  // names the rest of what was asked: step, picture, selection
  let busy = false;
  let timer = 0;
  let newest = {};  // what is being painted, by part
  let due = [];  // waves that are still to come
  let nextFrame = 0;  // after which the next one does
  let afterFrame = 0;
  let held = false;  // a slider is under a finger

  const wanted = () => JSON.stringify([settings, look]);
  const box = () => document.querySelector("#settings textarea");

  /** Registers a part; returns what paints the value that Gradio gave it. `hidden` tells what of it is not seen. */
  function part(name, paint, own, hidden = () => []) {
    let painted = null;
    const show = (value) => { painted = value; paint(value); };
    if (name) parts.set(name, { show, own, painted: () => painted, hidden });
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
    stopPainting();
    [newest, due] = [{}, []];
    setTimeout(() => parts.forEach((each) => { if (each.painted() !== each.own()) each.show(each.own()); }));
    setTimeout(pump, CHECK_MS);
  }

  async function pump() {
    if (busy || !token || wanted() === shown) return;
    const [asked, forToken] = [wanted(), token];
    const brief = held || asked !== putOff;  // first without what takes long, which then has to be asked for
    clearTimeout(resting);
    if (!brief && performance.now() < restsAt) {
      resting = setTimeout(pump, restsAt - performance.now());
      return;
    }
    busy = true;
    const waiting = setTimeout(wait, WAIT_MS, true);
    const sent = { token, settings: JSON.stringify(settings), ...look, held: brief, hidden: unseen() };
    let last = null;  // part of the answer
    try {
      for await (last of answers(sent)) if (forToken === token) paint(last);
    } catch {
      if (forToken === token) parts.get("notice")?.show(SILENT);
    }
    busy = false;
    clearTimeout(waiting);
    wait(false);
    if (forToken === token) {
      putOff = last?.put_off ? asked : "";
      restsAt = performance.now() + REST_MS;
      shown = putOff && !held ? "" : asked;  // as shown also where it failed, or it would be asked again and again
    }
    pump();
  }

  /** The layers of the picture that are switched off; another picture beside it comes whole. */
  const unseen = () => parts.get("canvas")?.hidden() ?? [];

  /** Asks the server; yields its answer part by part. */
  async function* answers(sent) {
    const body = JSON.stringify(sent);
    const response = await fetch(`${window.gradio_config.root}/live`, { method: "POST", body });
    if (!response.ok) throw new Error(response.statusText);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const lines = (rest + read.value).split("\n");
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  }

  /** Something is to be seen that an answer in haste may have left out. */
  function reveal() {
    if (!putOff) return;
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

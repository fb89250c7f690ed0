// The short way from a knob to the picture. Gradio's events take three times as long, so a knob reports to `live.set`,
// the server is asked directly, see `requests.js`, always for the newest settings, and every part of the page paints
// its own value. Gradio keeps the widgets and the hidden text of all settings, which its other events read;
// `sync` writes that text when a drag pauses and before anything is clicked.

/**
 * Returns the path of the setting that belongs to a knob.
 *
 * @param {Iterable<string>} paths such as "loss.gamma"
 * @param {string} id of the knob's element
 */
function findPath(paths, id) {
  return [...paths].find((path) => `knob-${path.replaceAll(/[._]/g, "-")}` === id);
}

/**
 * Sets the value of a field as if the visitor had typed it: the setter of the element's class is not Gradio's own.
 *
 * @param {HTMLTextAreaElement} field
 * @param {string} text
 */
function typeText(field, text) {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * @param {Record<string, unknown>} values
 * @param {string[]} names
 */
const pickFields = (values, names) => Object.fromEntries(names.map((name) => [name, values[name]]));

window.live ??= (() => {
  const REST_MS = 400;  // a knob that has not moved for this long is at rest; longer than between taps of an arrow key
  const WAIT_MS = 250;  // after which the page says that it is computing
  const HANDOUT_MS = 60;  // within which Gradio has given all parts of an answer their values
  /** @type {Map<string, LivePart>} */
  const parts = new Map();  // by name
  const painter = createPainter(parts, PAINT_STAGES);
  /** @type {Record<string, unknown>} */
  const choices = {};  // what else is chosen in the browser, see `PageState`
  /** @type {Record<string, unknown> | null} */
  let settings = null;  // as the visitor wants them, by path
  let askedKey = "";  // of what was requested last or is shown, see `requestKey`; "" to request it again
  let syncedText = "";  // written by `sync`, until Gradio reports it as a change
  let postponedKey = "";  // of the answer whose slow results were skipped
  let knownDials = "";  // the values of all dials as Gradio has them; others come from the server, as by undo
  let slowAt = 0;  // when slow results are requested if no knob moves: earlier, they would delay a drag
  let slowTimer = 0;
  let token = "";  // names the rest of the page's state on the server: step, picture, selection
  const requests = createRequests();
  /** @type {Set<number>} */
  const late = new Set();  // numbers of the requests that take long
  let eventCount = 0;  // of Gradio's events: an answer requested before the last one is out of date
  let revealed = false;  // a layer was switched on during the newest request
  let outdated = false;  // what is shown has changed on the server
  let refreshedNotice = "";  // message that came with the answer before
  let settled = false;  // nothing has been set or chosen since the last of Gradio's events was over
  /** @type {Record<string, unknown>} */
  let answered = {};  // the settings of that event's answer: the widgets that get them report them as changes, too
  let syncTimer = 0;
  let dragging = false;  // a slider is under a finger

  const requestKey = () => JSON.stringify([settings, choices]);
  const settingsField = () => /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#settings textarea"));

  /** @type {Live["part"]} */
  function part(name, paint, ownValue, switched = () => ({}), isQuick = undefined) {
    /** @type {string | null} */
    let painted = null;
    /** @param {string} value */
    const paintValue = (value) => {
      painted = value;
      paint(value);
    };
    if (name) parts.set(name, { paint: paintValue, ownValue, painted: () => painted, switched, isQuick });
    return () => paintValue(ownValue());
  }

  /** @type {Live["set"]} */
  function set(path, value) {
    if (changeSetting(path, value)) setTimeout(update);  // Gradio may be reporting many values at once
  }

  /**
   * Stores a setting; returns false if it has that value already.
   *
   * @param {string} path
   * @param {unknown} value
   */
  function changeSetting(path, value) {
    if (settings === null || JSON.stringify(settings[path]) === JSON.stringify(value)) return false;
    settings = { ...settings, [path]: value };
    settled &&= JSON.stringify(answered[path]) === JSON.stringify(value);
    clearTimeout(syncTimer);
    syncTimer = setTimeout(sync, REST_MS);
    return true;
  }

  /**
   * Reads a slider or checkbox as soon as it changes: Gradio reports it a frame later.
   *
   * @param {EventTarget | null} node
   */
  function onInput(node) {
    if (!(node instanceof HTMLInputElement) || !node.matches("input[type=range], input[type=checkbox]")) return;
    const id = node.closest(".knob")?.id;
    const path = id && findPath(Object.keys(settings ?? {}), id);
    if (path && changeSetting(path, node.type === "range" ? Number(node.value) : node.checked)) update();
  }

  /** @type {Live["choose"]} */
  function choose(name, value) {
    choices[name] = value;
    settled = false;
    setTimeout(update);
  }

  /** @type {Live["dial"]} */
  function dial(name, value) {
    const dials = new URLSearchParams(String(choices.dials ?? ""));
    if (value) dials.set(name, value);
    else dials.delete(name);
    choices.dials = knownDials = dials.toString();
    settled = false;
    const field = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#dials textarea"));
    if (field) typeText(field, knownDials);  // Gradio's events read it there
    setTimeout(update);
  }

  /** @type {Live["receiveSettings"]} */
  function receiveSettings(text) {
    const { changed, ...received } = JSON.parse(text);
    const isEcho = JSON.stringify(received) === syncedText;
    syncedText = "";  // only once: later the same text may come from the server, as by undo
    if (isEcho) return;  // a knob may have moved since
    settings = changed && settings ? { ...settings, ...pickFields(received, changed) } : received;
    if (changed) syncTimer = setTimeout(sync);  // other knobs may have moved since the event began
    setTimeout(update);
  }

  /** Hands the settings to Gradio's events. */
  function sync() {
    clearTimeout(syncTimer);
    syncTimer = 0;
    const field = settingsField();
    if (settings === null || !field || requestKey() === JSON.stringify([JSON.parse(field.value), choices])) return;
    syncedText = JSON.stringify(settings);
    typeText(field, syncedText);
  }

  /** @type {Live["receiveAnswer"]} */
  function receiveAnswer(state) {
    token = state.token;
    askedKey = JSON.stringify([JSON.parse(state.settings), state.look]);
    if (settings === null) settings = JSON.parse(state.settings);
    for (const [name, value] of Object.entries(state.look)) choices[name] ??= value;
    const { dials = knownDials } = state.look;
    if (dials !== knownDials) choices.dials = knownDials = String(dials);
    eventCount += 1;
    [settled, answered] = [true, JSON.parse(state.settings)];
    requests.abort();
    painter.clear();
    setTimeout(() => parts.forEach((each) => {
      if (each.painted() !== each.ownValue()) each.paint(each.ownValue());
    }));
    setTimeout(update, HANDOUT_MS);
  }

  /**
   * Requests what the visitor wants if it was not requested yet, first without slow results, then with them.
   * Returns true if the answer is shown.
   */
  async function update() {
    const key = requestKey();
    const refreshing = outdated && key === askedKey;
    if (!token || (key === askedKey && !refreshing)) return false;
    const quick = !refreshing && (dragging || key !== postponedKey);
    clearTimeout(slowTimer);
    if (quick ? !requests.hasRoom() : !requests.isIdle()) return false;  // the end of a request comes back here
    if (!quick && !refreshing && performance.now() < slowAt) {
      slowTimer = setTimeout(update, slowAt - performance.now());
      return false;
    }
    const events = eventCount;
    [askedKey, outdated, revealed] = [key, false, false];
    const last = await requestAnswer(quick, refreshing);
    if (last) settle(key, last);
    if (events === eventCount) update();  // otherwise `receiveAnswer` does
    return last !== null && !last.failed;
  }

  /**
   * Decides whether an answer was enough.
   *
   * @param {string} key of its request, the newest
   * @param {LiveAnswer} last piece
   */
  function settle(key, last) {
    postponedKey = last.postponed ? key : "";
    slowAt = performance.now() + REST_MS;
    // A failed answer counts as shown, too, or it would be requested again and again.
    askedKey = postponedKey && !dragging && !last.failed ? "" : key;
    if (revealed) reveal();
  }

  /** @type {Live["refresh"]} */
  async function refresh() {
    outdated = true;
    return update();
  }

  /**
   * Requests one answer and paints its pieces; returns the last, null if a newer request or an event has come since.
   *
   * @param {boolean} quick true skips slow results
   * @param {boolean} refreshing true if no knob has moved: runs go on, and the page says nothing of waiting
   * @returns {Promise<LiveAnswer | null>}
   */
  async function requestAnswer(quick, refreshing) {
    const { signal, ...name } = requests.start();
    const waitTimer = refreshing ? 0 : setTimeout(showWaiting, WAIT_MS, name.number, true);
    const switched = parts.get("canvas")?.switched() ?? {};  // a second picture always comes with all of its layers
    const asked = { token, settings: JSON.stringify(settings), ...choices, held: quick, switched, refresh: refreshing };
    /** @type {LiveAnswer} */
    let last = {};
    let counts;
    try {
      for await (last of fetchAnswer({ ...name, ...asked }, signal)) {
        if (requests.admit(name.number, last)) paintPiece(last, refreshing);
      }
    } finally {
      counts = requests.end(name.number);
      clearTimeout(waitTimer);
      showWaiting(name.number, false);
    }
    return counts ? last : null;
  }

  /** @type {Live["reveal"]} */
  function reveal() {
    revealed = requests.isAsking();  // then the next answer is requested at once
    if (revealed || !postponedKey) return;
    [askedKey, slowAt] = ["", 0];
    update();
  }

  /**
   * Paints a piece of an answer. The message of an event stays on show: a refresh replaces it by another one only, and
   * so does an answer that nobody has asked for since the event was over.
   *
   * @param {LiveAnswer} answer
   * @param {boolean} refreshing
   */
  function paintPiece(answer, refreshing) {
    if (answer.forgotten) {  // one of Gradio's events asks again, with everything that was chosen
      sync();
      document.dispatchEvent(new Event("live-forgotten"));
    } else {
      const keeps = refreshing ? answer.notice === refreshedNotice : settled && !answer.notice;
      painter.paint(keeps ? { ...answer, notice: null } : answer);
      refreshedNotice = String(answer.notice);
    }
  }

  /**
   * @param {number} number of a request
   * @param {boolean} on
   */
  function showWaiting(number, on) {
    if (on) late.add(number);
    else late.delete(number);
    document.body.toggleAttribute("data-waiting", late.size > 0);
  }

  /** @param {boolean} on */
  function setDragging(on) {
    if (dragging && !on && postponedKey && !requests.isAsking()) {
      askedKey = "";  // now for the slow results
      setTimeout(update);
    }
    dragging = on;
  }

  /** @type {Live["currentRequest"]} */
  const currentRequest = () => (token && settings && !syncTimer ? { token, settings: JSON.stringify(settings) } : null);

  document.addEventListener("pointerdown", ({ target }) => {
    setDragging(target instanceof Element && target.matches("input[type=range]"));
  }, true);
  document.addEventListener("input", ({ target }) => onInput(target), true);
  for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => setDragging(false), true);
  for (const kind of ["pointerdown", "keydown", "drop"]) {
    document.addEventListener(kind, () => { if (syncTimer) sync(); }, true);
  }

  return {
    part, set, choose, dial, receiveSettings, receiveAnswer, currentRequest, reveal, refresh,
    eventCount: () => eventCount,
  };
})();

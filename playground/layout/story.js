// The first screen: a button moves γ from 0 to 2 and back, and the real knob, the picture, the curve, the bar and the
// sentence follow.
const KNOB = "#knob-loss-gamma";
const PATH = "loss.gamma";
const LEAVING = ".story-ways button, .header :is(a, button):not(#theme, #more)";  // may leave the first screen
const [LOW, HIGH] = [0, 2];  // between which γ moves: cross-entropy, and the paper's focal loss
const MS_PER_UNIT = 1600;
const HOLD_MS = 900;  // at either end: time to read the sentence
const STILL = [LOW, 0.5, 1, HIGH];  // for those who want no motion: values that γ has one after another …
const STILL_MS = 1600;  // … for so long
const REST_MS = 600;  // after which the sentence is told to those who cannot see it

/** @param {string} name */
const find = (name) => /** @type {HTMLElement} */ (element.querySelector(`.story-${name}`));
const playButton = /** @type {HTMLButtonElement} */ (find("play"));
const [bar, keys, said] = [find("bar"), find("keys"), find("said")];
/**
 * @type {{slider: HTMLInputElement, start: number, step: string, way: Leg[], value: number, began: number,
 *   last: number} | null}
 */
let run = null;  // null while γ rests
let sayTimer = 0;

// ---- γ moves

/**
 * Returns the way of γ: down to 0, up to 2, and back to where it began.
 *
 * @param {number} start
 * @returns {Leg[]}
 */
function planWay(start) {
  /** @type {Leg[]} */
  const way = [];
  let at = start;
  for (const end of [LOW, HIGH, start]) {
    if (end === at) continue;
    way.push([end, Math.abs(end - at) * MS_PER_UNIT], [end, HOLD_MS]);
    at = end;
  }
  return way;
}

/**
 * Returns the way of γ without motion: single values, each for a while.
 *
 * @param {number} start
 * @returns {Leg[]}
 */
function planStill(start) {
  const values = [...STILL.filter((value) => value !== start), start];
  return values.flatMap((value) => [[value, 0], [value, STILL_MS]]);
}

/**
 * Returns γ on its way after some time, null at its end; each leg begins and ends gently.
 *
 * @param {number} start
 * @param {Leg[]} way
 * @param {number} elapsed ms
 */
function valueAt(start, way, elapsed) {
  let [from, left] = [start, elapsed];
  for (const [to, duration] of way) {
    if (left < duration) {
      const part = left / duration;
      return from + (to - from) * part * part * (3 - 2 * part);
    }
    left -= duration;
    from = to;
  }
  return null;
}

/**
 * Shows γ on its knob, which Gradio is told of only at the end, and sets it.
 *
 * @param {HTMLInputElement} slider
 * @param {number} value
 */
function showGamma(slider, value) {
  slider.value = String(value);
  slider.style.setProperty("--range_progress", `${(100 * value) / Number(slider.max)}%`);
  const number = /** @type {HTMLInputElement | null} */ (document.querySelector(`${KNOB} input[type=number]`));
  if (number) number.value = String(value);
  live.set(PATH, value);
}

function play() {
  const slider = /** @type {HTMLInputElement | null} */ (document.querySelector(`${KNOB} input[type=range]`));
  if (!slider) return;
  const [start, { step }] = [Number(slider.value), slider];
  const way = matchMedia("(prefers-reduced-motion: reduce)").matches ? planStill(start) : planWay(start);
  run = { slider, start, step, way, value: start, began: performance.now(), last: performance.now() };
  slider.step = "any";
  markPlaying();
  requestAnimationFrame(move);
}

function move() {
  if (!run) return;
  const { slider, start, way, last } = run;
  const now = performance.now();
  // γ waits for an answer that is late: knob, curve and sentence stay together on a busy machine.
  if (document.body.hasAttribute("data-waiting")) run.began += now - last;
  run.last = now;
  const value = valueAt(start, way, now - run.began);
  if (value === null) {
    goBack();
    return;
  }
  const rounded = Math.round(value * 100) / 100;
  if (rounded !== run.value) showGamma(slider, rounded);
  run.value = rounded;
  requestAnimationFrame(move);
}

/** Leaves γ where it is, as if the visitor had moved it there. */
function stop() {
  if (!run) return;
  const { slider, step, value } = run;
  run = null;
  slider.step = step;
  slider.value = String(value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  markPlaying();
  document.dispatchEvent(new Event("story-rest"));
}

/** Ends the movement with γ where it began. */
function goBack() {
  if (!run) return;
  run.value = run.start;
  showGamma(run.slider, run.start);  // Gradio, for which it has not changed, leaves the number as it is
  stop();
}

/** Ends the movement once another screen is on show: the knob has the value that Gradio gave it, as in a lesson. */
function abandon() {
  if (!run) return;
  const { slider, step } = run;
  run = null;
  slider.step = step;
  const settings = /** @type {HTMLTextAreaElement} */ (document.querySelector("#settings textarea"));
  showGamma(slider, JSON.parse(settings.value)[PATH]);
  markPlaying();
}

/** While γ moves, the address and its history stay (`address.js`). */
function markPlaying() {
  document.body.toggleAttribute("data-playing", run !== null);
  const [icon, verb] = playButton.children;
  [icon.textContent, verb.textContent] = run ? ["■", "Stop"] : ["▶", "Play"];
}

/** @param {Event} event */
function stopAtTouch({ type, target, isTrusted }) {
  if (!(target instanceof Element)) return;
  if (type !== "wheel" && target.closest(LEAVING)) goBack();
  else if (run && isTrusted && target.closest(".knob")) stop();
}

/** @param {KeyboardEvent} event */
function stopAtKey(event) {
  if (event.key === "Escape") stop();
  else if (event.key !== "Tab") stopAtTouch(event);
}

// ---- who pays

/** @param {string} value */
function show(value) {
  element.toggleAttribute("data-empty", !value);
  if (!value) return;
  /** @type {StoryState} */
  const { sentence, note, plays, parts } = JSON.parse(value);
  find("sentence").textContent = sentence;
  find("note").textContent = note;
  playButton.disabled = !plays;
  if (bar.children.length !== parts.length) {
    bar.replaceChildren(...parts.map(() => document.createElement("i")));
    keys.replaceChildren(...parts.map(createKey));
  }
  bar.setAttribute("aria-label", parts.map(({ name, text }) => `${name} ${text}`).join(", "));
  parts.forEach(({ share, colour, text }, index) => {
    const segment = /** @type {HTMLElement} */ (bar.children[index]);
    [segment.style.flexGrow, segment.style.background] = [String(share), colour];
    /** @type {Element} */ (keys.children[index].lastElementChild).textContent = text;
  });
  clearTimeout(sayTimer);
  sayTimer = setTimeout(say, REST_MS, sentence);
}

/** @param {StoryPart} part */
function createKey({ name, colour }) {
  const [key, swatch, share] = ["li", "i", "b"].map((tag) => document.createElement(tag));
  swatch.style.background = colour;
  key.append(swatch, `${name} `, share);
  return key;
}

/** @param {string} sentence */
function say(sentence) {
  if (!run) said.textContent = sentence;
}

playButton.addEventListener("click", () => (run ? stop() : play()));
// Listens on the window, so that it runs before `live.js` syncs the settings.
for (const kind of ["pointerdown", "click", "wheel"]) {
  window.addEventListener(kind, stopAtTouch, { capture: true, passive: true });
}
window.addEventListener("keydown", stopAtKey, true);
window.addEventListener("popstate", goBack);
document.addEventListener("open-link", goBack);
new MutationObserver(() => { if (!document.body.hasAttribute("data-story")) abandon(); })
  .observe(document.body, { attributes: true, attributeFilter: ["data-story"] });
for (const way of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-press]"))) {
  const { press = "" } = way.dataset;
  way.addEventListener("click", () => /** @type {HTMLElement | null} */ (document.querySelector(press))?.click());
}
const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();

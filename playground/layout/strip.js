// The steps as buttons, and the numbers of each level. Everything that the page shows for a step depends on
// <body data-step>, so that its knobs appear at once, before the server has answered.
const nav = /** @type {HTMLElement} */ (element.querySelector(".strip"));
const levels = /** @type {HTMLElement} */ (element.querySelector(".levels"));
/** @type {string | null} */
let chosen = null;  // step that the visitor has chosen, until the server answers
/** @type {StripState | null} */
let shown = null;  // the newest answer on show

// ---- the steps

/** @param {StripCell} cell */
function createStepButton(cell) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(document.createElement("strong"), document.createElement("span"));
  Object.assign(button.dataset, { step: cell.step, cell: cell.key });
  button.title = cell.about;
  button.addEventListener("click", () => choose(cell));
  return button;
}

/** @param {StripCell} cell */
function choose(cell) {
  chosen = cell.step;
  markStep(cell.step);
  if (cell.layer !== null) showLayer(cell.layer);
  select({ step: cell.step, map: cell.map || null });
}

/**
 * Asks for what is chosen.
 *
 * @param {{step?: string, map?: string | null, level?: number | null, story?: boolean, keep_notice?: boolean}} choice
 */
function select(choice) {
  line.ask("select", { step: null, map: null, level: null, story: false, keep_notice: false, ...choice });
}

/**
 * Shows the layer of a part of the detections step; each level of that step has the map of scores.
 *
 * @param {string} layer
 */
function showLayer(layer) {
  document.dispatchEvent(new CustomEvent("pic-layer", { detail: layer }));
}

/** @param {string} step */
function markStep(step) {
  const changed = document.body.dataset.step !== step;
  document.body.dataset.step = step;
  for (const button of /** @type {HTMLCollectionOf<HTMLElement>} */ (nav.children)) {
    if (button.dataset.step === step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  if (changed) scrollToStep();
}

/** Scrolls the strip, not the page, to the current step: on narrow screens it may be out of sight. */
function scrollToStep() {
  const current = /** @type {HTMLElement | null} */ (nav.querySelector("[aria-current]"));
  if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - 8;
}

/** @param {StripState} state */
function showCells({ cells }) {
  if (nav.children.length !== cells.length) nav.replaceChildren(...cells.map(createStepButton));
  cells.forEach((cell, index) => {
    const [title, number] = nav.children[index].children;
    [title.textContent, number.textContent] = [cell.title, cell.headline];
  });
}

// ---- the levels

/** @param {StripState} state */
function showLevels(state) {
  const shape = JSON.stringify(state.levels.map(({ level, map }) => [level, map]));
  if (levels.dataset.shape !== shape) {
    levels.replaceChildren(document.createElement("em"), ...state.levels.map(createLevel));
    levels.dataset.shape = shape;  // otherwise the buttons stay, and the focus with them
    levels.tabIndex = levels.querySelector("button") ? -1 : 0;  // what scrolls on a phone is reached by keyboard, too
  }
  const [about, ...nodes] = levels.children;
  about.textContent = state.about;
  state.levels.forEach((cell, index) => {
    const [name, text] = nodes[index].children;
    [name.textContent, text.textContent] = [cell.name, cell.text];
    if (cell.level === null) return;
    const pressed = cell.level === state.level && (!cell.map || cell.map === state.map);
    nodes[index].setAttribute("aria-pressed", String(pressed));
  });
}

/**
 * Creates a cell of the second row: a button if its level can be chosen.
 *
 * @param {LevelCell} cell
 */
function createLevel(cell) {
  const node = document.createElement(cell.level === null ? "span" : "button");
  node.append(document.createElement("strong"), document.createElement("span"));
  if (cell.level === null) return node;
  node.setAttribute("type", "button");
  node.addEventListener("click", () => {
    if (document.body.dataset.step === "detections") showLayer("scores");
    select({ map: cell.map || null, level: cell.level });
  });
  return node;
}

// ---- knobs that have changed, and controls that a link hides

/**
 * Returns the id of a knob's element.
 *
 * @param {string} path such as "loss.gamma"
 */
function knobId(path) {
  return `knob-${path.replace(/[._]/g, "-")}`;
}

/**
 * Marks the knobs that are not at their defaults; the link names exactly those.
 *
 * @param {string} query
 */
function markChanged(query) {
  const ids = new Set([...new URLSearchParams(query).keys()].map(knobId));
  for (const knob of document.querySelectorAll(".knob")) knob.classList.toggle("changed", ids.has(knob.id));
  for (const group of document.querySelectorAll(".of-step")) {
    group.toggleAttribute("data-changed", group.querySelector(".knob.changed") !== null);
  }
}

/**
 * Returns the style sheet for a teacher's link that hides controls: ?hide=training,loss.gamma hides a step and a knob,
 * see `server/permalink.py`. What a step of a lesson needs stays visible.
 *
 * @param {string} names separated by commas
 */
function hidingRules(names) {
  const valid = names.split(",").map((name) => name.trim()).filter((name) => /^[a-z0-9_.-]+$/.test(name));
  return valid.map((name) => {
    const selectors = name.includes(".")
      ? [`#${knobId(name)}`] : [`.strip button[data-step="${name}"]`, `.of-${name}`, `#${name}`, `#${name}-panel`];
    const rule = selectors.map((selector) => `body:not([data-needs~="${name}"]) ${selector}`).join();
    return `${rule} { display: none !important; }`;
  }).join("\n");
}

function hideControls() {
  const style = document.createElement("style");
  style.textContent = hidingRules(new URLSearchParams(location.search).get("hide") ?? "");
  document.head.append(style);
}

/** @param {string} value */
function show(value) {
  if (!value) return;
  /** @type {StripState} */
  const state = JSON.parse(value);
  if (isLate(state)) return;
  showCells(state);
  showLevels(state);
  if (chosen === null || chosen === state.step) {  // otherwise an answer to an earlier choice
    chosen = null;
    markStep(state.step);
  }
  document.body.removeAttribute("data-opening");
  shown = state;
  document.body.dataset.onShow = JSON.stringify(state.now);
  markChanged(state.query);
  const query = new URLSearchParams(state.query);
  const story = query.get("view") === "story" && !document.body.dataset.embed;
  for (const node of [document.body, document.querySelector(".layout")]) {  // see the head of style/page.css
    node?.toggleAttribute("data-story", story);
  }
  document.body.toggleAttribute("data-pinned", query.has("pinned"));
  document.body.toggleAttribute("data-beside", query.has("beside"));
  document.querySelector("#beside")?.setAttribute("aria-pressed", String(query.has("beside")));
  showQuery();
}

/** Shows the query in the address, unless the visitor has gone back or forward: then the answer to that comes first. */
function showQuery() {
  if (shown && !line.has("edit")) showInAddress(shown.query);
}

// Gradio opens a list that Tab reaches, and leaves it open when Tab moves on.
document.addEventListener("keydown", (event) => {
  const list = /** @type {Element} */ (event.target);
  if (event.key !== "Tab" || list.getAttribute?.("aria-expanded") !== "true") return;
  list.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
}, true);

const showValue = live.part(props.part, show, () => props.value);

/** Returns the step that the visitor has chosen last. */
const currentStep = () => chosen ?? shown?.step;

/**
 * True for an answer that shows the step, the run, the lesson or the picture with which its event began, while another
 * one has been chosen since. Levels and maps are not compared: of them, the answer that comes last stays.
 *
 * @param {StripState} state
 */
function isLate({ now, began }) {
  if (!shown || !began) return false;
  /** @type {Record<string, string>} */
  const wanted = { ...shown.now, step: currentStep() ?? "" };
  return Object.keys(now).some((name) => now[name] === began[name] && now[name] !== wanted[name]);
}

function onAnswer() {
  if (!props.value) return showValue();
  /** @type {StripState} */
  const state = JSON.parse(props.value);
  const late = isLate(state);
  showValue();
  live.receiveAnswer(late && shown ? { ...state, token: shown.token } : state);
  if (late && !line.isWaiting()) askForStep(line.has("edit") ? undefined : currentStep(), true);
}

/**
 * Asks for all parts of a step again.
 *
 * @param {string} [step] by default the one that the server has
 * @param {boolean} [keepNotice] leaves the message on show, if the answer has none
 */
function askForStep(step, keepNotice = false) {
  select({ ...(step && { step }), story: document.body.hasAttribute("data-story"), keep_notice: keepNotice });
}

document.addEventListener("live-forgotten", () => askForStep(document.body.dataset.step));
document.addEventListener("strip-answered", showQuery);
watch("value", onAnswer);
hideControls();
onAnswer();

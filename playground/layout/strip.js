// The steps as buttons, and the numbers of each level. Everything the page shows for a step hangs on
// <body data-step>, so that knobs change places at once, before the server has answered.
const nav = element.querySelector(".strip");
const levels = element.querySelector(".levels");

function button(cell) {
  const made = document.createElement("button");
  made.type = "button";
  made.append(document.createElement("strong"), document.createElement("span"));
  Object.assign(made.dataset, { step: cell.step, cell: cell.key });
  made.title = cell.about;
  made.addEventListener("click", () => choose(cell));
  return made;
}

let chosen = null;  // step that the visitor has chosen, while the server has not answered yet

function choose(cell) {
  chosen = cell.step;
  mark(cell.step);
  if (cell.layer) switchOn(cell.layer);
  trigger("select", { step: cell.step, map: cell.map || null, level: null });
}

/** A part of the detections step has its layer, and each of its levels the map of scores. */
const switchOn = (layer) => document.dispatchEvent(new CustomEvent("pic-layer", { detail: layer }));

function mark(step) {
  const moved = document.body.dataset.step !== step;
  document.body.dataset.step = step;
  for (const each of nav.children) {
    if (each.dataset.step === step) each.setAttribute("aria-current", "step");
    else each.removeAttribute("aria-current");
  }
  if (moved) reveal();
}

/** On narrow screens the strip scrolls: what is chosen comes into sight, and the page stays where it is. */
function reveal() {
  const first = nav.querySelector("[aria-current]");
  if (first) nav.scrollLeft = first.offsetLeft - nav.offsetLeft - 8;
}

function showCells(state) {
  if (nav.children.length !== state.cells.length) nav.replaceChildren(...state.cells.map(button));
  state.cells.forEach((cell, index) => {
    const [title, number] = nav.children[index].children;
    [title.textContent, number.textContent] = [cell.title, cell.headline];
  });
}

/** The second row; a level that can be chosen is a button. */
function showLevels(state) {
  const shape = JSON.stringify(state.levels.map((each) => [each.level, each.map]));
  if (levels.dataset.shape !== shape) levels.replaceChildren(document.createElement("em"), ...state.levels.map(level));
  levels.dataset.shape = shape;  // the same buttons stay, and with them the focus
  levels.firstChild.textContent = state.about;
  state.levels.forEach((each, index) => {
    const made = levels.children[index + 1];
    const [name, text] = made.children;
    [name.textContent, text.textContent] = [each.name, each.text];
    if (each.level === null) return;
    const on = each.level === state.level && (!each.map || each.map === state.map);
    made.setAttribute("aria-pressed", on);
  });
}

function level(each) {
  const made = document.createElement(each.level === null ? "span" : "button");
  made.append(document.createElement("strong"), document.createElement("span"));
  if (each.level === null) return made;
  made.type = "button";
  made.addEventListener("click", () => {
    if (document.body.dataset.step === "detections") switchOn("scores");
    trigger("select", { step: null, map: each.map || null, level: each.level });
  });
  return made;
}

// A knob that is not at its default is marked; the link names exactly those.
function markChanged(query) {
  const ids = new Set([...new URLSearchParams(query).keys()].map((path) => "knob-" + path.replace(/[._]/g, "-")));
  for (const knob of document.querySelectorAll(".knob")) knob.classList.toggle("changed", ids.has(knob.id));
}

// A teacher's link may hide controls: ?hide=training,loss.gamma hides a step and a knob, see `hiding.py`. What a step
// of a lesson needs stays.
const hidden = new URLSearchParams(location.search).get("hide") ?? "";

function hide() {
  const style = document.createElement("style");
  const names = hidden.split(",").map((name) => name.trim()).filter((name) => /^[a-z0-9_.-]+$/.test(name));
  style.textContent = names.map((name) => {
    const all = name.includes(".")
      ? [`#knob-${name.replace(/[._]/g, "-")}`] : [`.strip button[data-step="${name}"]`, `.of-${name}`, `#${name}`];
    return all.map((each) => `body:not([data-needs~="${name}"]) ${each}`).join() + " { display: none !important; }";
  }).join("\n");
  document.head.append(style);
}

// Undo and redo are the browser's own back and forward; what changes in one go, as while a slider is dragged, is one
// entry of its history.
const ONE_GO = 800;  // ms
let opened = false;
let changed = 0;  // when the address was last written

// Writing the address takes as long as drawing the picture, so a drag's places are not all written.
const PAUSE = 80;  // ms
let writing = 0;  // timer

function write(asked, known) {
  const kept = ["hide", "layers"].map((key) => [key, new URLSearchParams(location.search).get(key)]);
  const own = kept.filter(([, value]) => value).map(([key, value]) => `${key}=${value}`);  // known to the browser alone
  const query = [asked, ...own].filter(Boolean).join("&");
  const address = location.pathname + (query ? "?" + query : "");
  if (address === location.pathname + location.search) return;
  if (known) remember(address);
  else history.replaceState(history.state, "", address);  // the first answer only tidies what was opened
}

function remember(address) {
  const depth = history.state?.depth ?? 0;
  const again = Date.now() - changed < ONE_GO;
  changed = Date.now();
  if (again) history.replaceState({ depth }, "", address);
  else history.pushState({ depth: depth + 1 }, "", address);
}

function show(value) {
  if (!value) return;
  const state = JSON.parse(value);
  showCells(state);
  showLevels(state);
  if (chosen === null || chosen === state.step) {  // else an answer to an earlier choice
    chosen = null;
    mark(state.step);
  }
  markChanged(state.query);
  const asked = new URLSearchParams(state.query);
  document.body.toggleAttribute("data-pinned", asked.has("pinned"));
  document.body.toggleAttribute("data-beside", asked.has("beside"));
  document.querySelector("#beside")?.setAttribute("aria-pressed", asked.has("beside"));
  clearTimeout(writing);
  writing = setTimeout(write, opened ? PAUSE : 0, state.query, opened);
  opened = true;
}

window.addEventListener("popstate", () => {
  clearTimeout(writing);
  changed = Date.now();
  trigger("edit", { query: location.search.slice(1) });
});

// Gradio opens a list when Tab comes to it, and leaves it open when Tab goes on.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Tab" || event.target.getAttribute?.("aria-expanded") !== "true") return;
  event.target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
}, true);

const showOwn = live.part(props.part, show, () => props.value);

function answered() {
  showOwn();
  if (props.value) live.answered(JSON.parse(props.value));
}

document.addEventListener("live-forgotten", () => {
  trigger("select", { step: document.body.dataset.step, map: null, level: null });
});
watch("value", answered);
hide();
answered();

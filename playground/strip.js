// The steps as buttons. Everything the page shows for a step hangs on <body data-step>, so that knobs change places
// at once, before the server has answered.
const nav = element.querySelector(".strip");

function button(step) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.step = step.key;
  made.append(document.createElement("strong"), document.createElement("span"));
  made.addEventListener("click", () => choose(step.key));
  return made;
}

let chosen = null;  // by the visitor, while the server has not answered yet

function choose(key) {
  chosen = key;
  mark(key);
  trigger("select", { step: key });
}

function mark(key) {
  document.body.dataset.step = key;
  for (const each of nav.children) {
    if (each.dataset.step === key) each.setAttribute("aria-current", "step");
    else each.removeAttribute("aria-current");
  }
}

// A knob that is not at its default is marked; the link names exactly those.
function markChanged(query) {
  const ids = new Set([...new URLSearchParams(query).keys()].map((path) => "knob-" + path.replace(/[._]/g, "-")));
  for (const knob of document.querySelectorAll(".knob")) knob.classList.toggle("changed", ids.has(knob.id));
}

// A teacher's link may hide controls: ?hide=training,loss.gamma hides a step and a knob.
const hidden = new URLSearchParams(location.search).get("hide") ?? "";

function hide() {
  const style = document.createElement("style");
  const names = hidden.split(",").filter((name) => /^[a-z0-9_.]+$/.test(name));
  style.textContent = names.map((name) => name.includes(".")
    ? `#knob-${name.replace(/[._]/g, "-")} { display: none !important; }`
    : `.strip button[data-step="${name}"], .of-${name}, #${name} { display: none !important; }`).join("\n");
  document.head.append(style);
}

// Undo and redo are the browser's own back and forward; what changes in one go, as while a slider is dragged, is one
// entry of its history.
const ONE_GO = 800;  // ms
let opened = false;
let changed = 0;  // when the address was last written

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
  if (nav.children.length !== state.steps.length) nav.replaceChildren(...state.steps.map(button));
  state.steps.forEach((step, index) => {
    nav.children[index].firstChild.textContent = step.title;
    nav.children[index].lastChild.textContent = step.headline;
  });
  if (chosen === null || chosen === state.current) {  // else an answer to an earlier choice
    chosen = null;
    mark(state.current);
  }
  markChanged(state.query);
  const kept = ["hide", "layers"].map((key) => [key, new URLSearchParams(location.search).get(key)]);
  const own = kept.filter(([, value]) => value).map(([key, value]) => `${key}=${value}`);  // known to the browser alone
  const query = [state.query, ...own].filter(Boolean).join("&");
  const address = location.pathname + (query ? "?" + query : "");
  if (address !== location.pathname + location.search) {
    if (opened) remember(address);
    else history.replaceState(history.state, "", address);  // the first answer only tidies what was opened
  }
  opened = true;
}

window.addEventListener("popstate", () => {
  changed = Date.now();
  trigger("edit", { query: location.search.slice(1) });
});

const showOwn = live.part(props.part, show, () => props.value);

function answered() {
  showOwn();
  if (props.value) live.answered(JSON.parse(props.value));
}

document.addEventListener("live-forgotten", () => choose(document.body.dataset.step));
watch("value", answered);
hide();
answered();

// Which layers are on show: the legend that toggles them, the link that keeps them, and other pictures that follow.

const items = () => [...(view.heat ? [view.heat] : []), ...view.layers];
const isVisible = (item) => toggles.get(item.key) ?? item.visible;

const toggles = new Map();  // layer key → what the user has chosen

// Which layers were switched on or off is part of the link: ?layers=ignored,-truth
const TOGGLES = "layers";
for (const entry of (new URLSearchParams(location.search).get(TOGGLES) ?? "").split(",").filter(Boolean)) {
  toggles.set(entry.replace(/^-/, ""), !entry.startsWith("-"));
}

function keepToggles() {
  const query = new URLSearchParams(location.search);
  query.set(TOGGLES, [...toggles].map(([key, on]) => (on ? key : "-" + key)).join(","));
  history.replaceState(history.state, "", location.pathname + "?" + query.toString().replaceAll("%2C", ","));
  tellOthers({ toggles: [...toggles] });
}

// Where two pictures are compared, both show the same layers and the same part.
const tellOthers = (said) => document.dispatchEvent(new CustomEvent("pic-told", { detail: { from: root, ...said } }));

function adopt({ detail: { from, toggles: others, place: there } }) {
  if (from === root) return;
  if (others) {
    toggles.clear();
    for (const [key, on] of others) toggles.set(key, on);
    showLegend();
  }
  if (there) {
    Object.assign(camera, { zoom: there.zoom, x: there.x * size.width, y: there.y * size.height });
    stage.classList.toggle("pic-zoomed", camera.zoom > 1);
  }
  schedule(true);
}

// A step of inference chosen in the strip switches its layer on, and those of the other steps off.
const OF_STEPS = ["scores", "before", "suppressed"];

function showLayer({ detail: wanted }) {
  for (const key of OF_STEPS) toggles.set(key, key === wanted);
  keepToggles();
  showLegend();
  schedule(true);
}

// ---- legend and toolbar

function showLegend() {
  const keys = JSON.stringify(items().map((item) => item.key));
  if (legend.dataset.keys !== keys) legend.replaceChildren(...items().map((item) => legendButton(item.key)));
  legend.dataset.keys = keys;  // the same buttons stay, and with them the focus
  items().forEach((item, index) => {
    const button = legend.children[index];
    const [swatch, label, count] = button.children;
    button.setAttribute("aria-pressed", isVisible(item));
    swatch.classList.toggle("pic-dashed", Boolean(item.dashed) && !isDense(item));
    swatch.classList.toggle("pic-heat", Boolean(item.steps));
    swatch.style.setProperty("--colour", item.colour ?? "");
    label.textContent = item.label;
    count.textContent = item.steps ? "" : item.count.toLocaleString("en");
    swatch.dataset.most = item.steps ? item.scale.toPrecision(2) : "";
  });
}

function legendButton(key) {
  const button = labelled("button", "pic-button pic-layer", "");
  button.type = "button";
  button.dataset.key = key;
  button.append(...["pic-swatch", "pic-label", "pic-count"].map((name) => labelled("span", name, "")));
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    toggles.set(key, on);
    keepToggles();
    showLegend();
    schedule(true);
    if (on) live.reveal();
  });
  return button;
}

function showClasses() {
  if (classSelect.dataset.names === JSON.stringify(view.classes)) return;
  classSelect.dataset.names = JSON.stringify(view.classes);
  classSelect.replaceChildren(...view.classes.map((name, index) => new Option(name, index)));
}

function showSelection() {
  const selection = editor.selection();
  deleteButton.disabled = !selection;
  if (selection) classSelect.value = selection.label;
}

function setEditing(wanted) {
  const possible = view.editable && view.layers.some((layer) => layer.key === TRUTH);
  if (editing && !(wanted && possible)) editor.deselect();
  editing = wanted && possible;
  drawButton.hidden = !possible;
  drawButton.setAttribute("aria-pressed", editing);
  classSelect.hidden = deleteButton.hidden = !editing;
  hint.textContent = editing ? HINT_DRAW : HINT_VIEW;
  stage.classList.toggle("pic-editing", editing);
  top.style.cursor = "";
}

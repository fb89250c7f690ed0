// Which layers are visible: the legend that switches them, the link that remembers them, and a second picture beside
// this one that follows.

const TOGGLES = "layers";  // URL parameter: ?layers=ignored,-truth switches a layer on and another off
const INFERENCE_LAYERS = ["scores", "before", "suppressed"];  // one for each part of the detections step

/**
 * Returns which layers a link switches on or off, by key.
 *
 * @param {string} search of the address
 * @returns {Map<string, boolean>}
 */
function parseToggles(search) {
  const entries = (new URLSearchParams(search).get(TOGGLES) ?? "").split(",").filter(Boolean);
  return new Map(entries.map((entry) => [entry.replace(/^-/, ""), !entry.startsWith("-")]));
}

/**
 * Returns an address's query with the toggles in it.
 *
 * @param {string} search of the address
 * @param {Map<string, boolean>} chosen
 */
function formatToggles(search, chosen) {
  const query = new URLSearchParams(search);
  query.delete(TOGGLES);
  if (chosen.size) query.set(TOGGLES, [...chosen].map(([key, on]) => (on ? key : `-${key}`)).join(","));
  return query.size ? `?${query.toString().replaceAll("%2C", ",")}` : "";
}

const toggles = parseToggles(location.search);  // what the visitor has chosen

const items = () => [...(view.heat ? [view.heat] : []), ...view.layers];

/** @param {LegendItem} item */
const isVisible = (item) => toggles.get(item.key) ?? item.visible;

function keepToggles() {
  history.replaceState(history.state, "", location.pathname + formatToggles(location.search, toggles));
  notifyOthers({ toggles: [...toggles] });
}

/**
 * Tells the other canvases of the page, which show the same layers and the same part of their picture.
 *
 * @param {Omit<CanvasSync, "from">} change
 */
function notifyOthers(change) {
  document.dispatchEvent(new CustomEvent("pic-sync", { detail: { from: root, ...change } }));
}

/** @param {CustomEvent<CanvasSync>} event */
function follow({ detail: { from, toggles: others, camera: other } }) {
  if (from === root) return;
  if (others) {
    toggles.clear();
    for (const [key, on] of others) toggles.set(key, on);
    showLegend();
  }
  if (other) {
    Object.assign(camera, { zoom: other.zoom, x: other.x * size.width, y: other.y * size.height });
    stage.classList.toggle("pic-zoomed", camera.zoom > 1);
  }
  schedule(true);
}

/**
 * Shows the layer of a part of the detections step, "" for none but the usual ones, and hides those of the other parts.
 *
 * @param {CustomEvent<string>} event
 */
function showLayer({ detail: wanted }) {
  for (const key of INFERENCE_LAYERS) toggles.delete(key);  // hidden unless chosen: the address does not say so
  if (wanted) toggles.set(wanted, true);
  keepToggles();
  showLegend();
  schedule(true);
}

// ---- legend and toolbar

function showLegend() {
  const keys = JSON.stringify(items().map((item) => item.key));
  if (legend.dataset.keys !== keys) legend.replaceChildren(...items().map((item) => legendButton(item.key)));
  legend.dataset.keys = keys;  // otherwise the buttons stay, and the focus with them
  items().forEach((item, index) => updateLegendButton(legend.children[index], item));
}

/**
 * @param {Element} button
 * @param {Layer | Heat} item
 */
function updateLegendButton(button, item) {
  const [swatch, label, count] = /** @type {HTMLCollectionOf<HTMLElement>} */ (button.children);
  const heat = "steps" in item;
  button.setAttribute("aria-pressed", String(isVisible(item)));
  swatch.classList.toggle("pic-dashed", !heat && item.dashed && !isDense(item));
  swatch.classList.toggle("pic-heat", heat);
  swatch.classList.toggle("pic-many", !heat && Boolean(item.colours?.length));
  swatch.style.setProperty("--colour", heat ? "" : item.colour);
  label.textContent = item.label;
  count.textContent = heat ? "" : item.count.toLocaleString("en");
  swatch.dataset.most = heat ? formatNumber(item.scale, 2) : "";
}

/** @param {string} key of the layer */
function legendButton(key) {
  const button = document.createElement("button");
  button.className = "pic-button pic-layer";
  button.type = "button";
  button.dataset.key = key;
  button.append(...["pic-swatch", "pic-label", "pic-count"].map((name) => createNode("span", name, "")));
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

function showSelection() {
  const [undos, redos] = editor.undoable();
  const [selection, count] = [editor.selection(), editor.suggestions().length];
  deleteButton.disabled = !selection && editor.offer() < 0;
  [undoButton.disabled, redoButton.disabled] = [!undos, !redos];
  allButton.hidden = !count;
  allButton.textContent = `Accept all (${count})`;
  classSelect.value = String(selection ? selection.label : editor.chosen());
  showClasses();
  showOffer();
}

/** Switches drawing on or off: as the visitor has chosen, or before that as the picture asks for it. */
function showEditing() {
  const truth = view.editable ? view.layers.find((layer) => layer.key === TRUTH) : undefined;
  if (!truth) wantsEditing = null;
  const on = truth !== undefined && (wantsEditing ?? view.draw_first);
  if (editing && !on) {
    editor.dropUnnamed();
    editor.deselect();
  }
  if (truth && on && !editing && !isVisible(truth)) toggles.set(TRUTH, true);  // drawn boxes must be visible
  editing = on;
  drawButton.hidden = !truth;
  drawButton.setAttribute("aria-pressed", String(editing));
  find("editors").hidden = find("help").hidden = !editing;
  hint.textContent = editing ? HINT_DRAW : HINT_VIEW;
  stage.classList.toggle("pic-editing", editing);
  top.style.cursor = "";
  if (!editing) cross = null;
  showSelection();
}

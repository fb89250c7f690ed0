// The panel "My pictures". Its elements stay while its numbers change, so that the keyboard's focus stays; titles and
// names of classes only ever go through textContent. Every control fires `select`, see `album_panel.py`.
/**
 * @template {HTMLElement} T
 * @param {string} name
 * @returns {T}
 */
const find = (name) => /** @type {T} */ (element.querySelector(`[data-part="${name}"]`));
const panel = /** @type {HTMLDetailsElement} */ (element.querySelector("details.album"));
let shownIndex = -1;  // of the picture on show, -1 for none of the album's
let shownKey = "";  // its `pixels_key`
let deletedKey = "";  // of the album that the button puts back, "" if it puts a picture back

/**
 * Returns the panel's title with its numbers.
 *
 * @param {{count: number, labelled: number, mine: boolean}} state
 */
function titleOf({ count, labelled, mine }) {
  return count ? `${mine ? "My" : "Shared"} pictures: ${count}, ${labelled} labelled` : "My pictures";
}

/**
 * Returns what the picture on show counts as.
 *
 * @param {{index: number, count: number, labelled_here: boolean, objects: number, place: string}} state
 */
function pictureText({ index, count, labelled_here: labelled, objects, place }) {
  if (index < 0) return "";
  const what = objects ? `${objects} object${objects === 1 ? "" : "s"}` : "no objects";
  return `Picture ${index + 1} of ${count}: ${labelled ? `${what}, ${place}` : "not labelled yet"}`;
}

/** @param {[string, number, string][]} classes name, objects, colour */
function showClasses(classes) {
  find("classes").replaceChildren(...classes.map(([name, objects, colour]) => {
    const item = document.createElement("li");
    const dot = document.createElement("i");
    dot.style.background = colour;
    item.append(dot, `${name} ${objects}`);
    return item;
  }));
}

/** @param {AlbumState} state */
function showButtons(state) {
  find("teach").classList.toggle("album-ready", state.ready);
  const here = state.index >= 0;
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-when]"))) {
    const when = node.dataset.when;
    node.hidden = when === "any" ? !state.count
      : when === "here" ? !(here && state.mine)
      : when === "mine" ? !(state.count && state.mine)
      : when === "away" ? here || !state.count
      : when === "undo" ? !state.undo
      : Boolean(state.count);
  }
  find("undo").textContent = state.undo;
}

/** @param {AlbumState} state */
function showSuggesting({ suggest }) {
  const [box, slider] = [find("suggest"), find("above")].map((each) => /** @type {HTMLInputElement} */ (each));
  box.checked = suggest.on;
  if (document.activeElement !== slider) slider.value = String(suggest.above);
  find("above-text").textContent = Number(slider.value).toFixed(2);
  find("suggest-note").textContent = suggest.note;
}

/** @param {string} value */
function show(value) {
  if (!value) return;
  /** @type {AlbumState} */
  const state = JSON.parse(value);
  find("title").textContent = titleOf(state);
  find("picture").textContent = pictureText(state);
  find("picture").hidden = state.index < 0;
  find("teach-note").textContent = state.teach;
  find("kept").textContent = state.kept;
  find("whose").textContent = state.whose;
  showClasses(state.classes);
  showButtons(state);
  showSuggesting(state);
  const [split, share] = [find("split"), find("share")];
  /** @type {HTMLSelectElement} */ (split).value = state.split;
  /** @type {HTMLInputElement} */ (share).checked = state.shared;
  find("copy").hidden = !state.shared;
  if (state.index >= 0 && shownIndex < 0) panel.open = true;  // opened by the picture, closed by the visitor alone
  [shownIndex, shownKey, deletedKey] = [state.index, state.pixels_key, state.deleted];
}

/**
 * @param {string} action
 * @param {unknown} [value]
 */
const act = (action, value = null) => trigger("select", { action, value, pixels_key: shownKey });

/**
 * What a button does; some take long and have events of their own.
 *
 * @param {string} action
 */
function press(action) {
  const format = /** @type {HTMLSelectElement} */ (find("format"));
  if (action === "next") trigger("next");
  else if (action === "teach") trigger("teach");
  else if (action === "download") trigger("download", { value: format.value });
  else act(action, action === "undo" ? deletedKey : null);
  if (action === "delete") document.dispatchEvent(new Event("pictures-deleted"));
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("button[data-act]"))) {
  button.addEventListener("click", () => press(String(button.dataset.act)));
}

for (const name of ["suggest", "share"]) {
  const box = /** @type {HTMLInputElement} */ (find(name));
  box.addEventListener("change", () => act(name, box.checked));
}
find("split").addEventListener("change", () => act("split", /** @type {HTMLSelectElement} */ (find("split")).value));
find("above").addEventListener("input", () => {
  find("above-text").textContent = Number(/** @type {HTMLInputElement} */ (find("above")).value).toFixed(2);
});
find("above").addEventListener("change", () => {
  act("above", Number(/** @type {HTMLInputElement} */ (find("above")).value));
});

/** Copies the address, which is the link, and says so; where the clipboard is not allowed, it is shown to copy. */
async function copyLink() {
  const button = find("copy");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Link copied";
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  } catch {
    window.prompt("Copy this link:", location.href);
  }
}

find("copy").addEventListener("click", copyLink);

const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();

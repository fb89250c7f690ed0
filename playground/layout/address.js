// The page's address is its state; undo and redo are the browser's own back and forward. Part of the strip.
const BROWSER_PARAMETERS = ["hide", "course", "layers", "embed"];  // of the address, which the server does not know
const ONE_CHANGE_MS = 800;  // changes closer together, as while a slider is dragged, are one entry of the history
const PAUSE_MS = 80;  // writing the address takes as long as drawing the picture: only pauses of a drag are written
const REST_MS = 1000;  // within which the value at which γ has stopped is answered
const DEEPEST = "retinanet-deepest";  // where the depth of the newest entry is kept, for redo after a reload
const line = createLine();
let opened = false;
let newest = "";  // query of what is on show
let writtenAt = 0;
let writeTimer = 0;

/**
 * Returns the page's query: the server's, with what is known to the browser alone.
 *
 * @param {string} query the server's
 * @param {string} search of the current address
 */
function fullQuery(query, search) {
  const current = new URLSearchParams(search);
  const kept = BROWSER_PARAMETERS.filter((key) => current.get(key)).map((key) => (
    `${key}=${encodeURIComponent(current.get(key) ?? "").replaceAll("%2C", ",")}`));
  return [query, ...kept].filter(Boolean).join("&");
}

/**
 * @param {string} query the server's
 * @param {boolean} withHistory false for the first answer, which only tidies the address that was opened
 */
function writeAddress(query, withHistory) {
  if (document.body.hasAttribute("data-playing")) return;
  const full = fullQuery(query, location.search);
  const address = location.pathname + (full ? `?${full}` : "");
  if (address !== location.pathname + location.search) {
    if (withHistory) remember(address);
    else history.replaceState(history.state, "", address);
  }
  if (!document.body.hasAttribute("data-embed")) memory.keep("address", location.search);
}

/** @param {string} address */
function remember(address) {
  const sameChange = Date.now() - writtenAt < ONE_CHANGE_MS;
  writtenAt = Date.now();
  if (sameChange) {
    history.replaceState({ depth: depth() }, "", address);
  } else {
    history.pushState({ depth: depth() + 1 }, "", address);
    sessionStorage.setItem(DEEPEST, String(depth()));  // what was undone is gone
  }
  markUndo();
}

/** Returns how many changes can be undone. */
function depth() {
  return Number(history.state?.depth ?? 0);
}

/** Undo and redo are grey while there is nothing to undo or redo. */
function markUndo() {
  const deepest = Number(sessionStorage.getItem(DEEPEST) ?? 0);
  for (const [id, possible] of [["undo", depth() > 0], ["redo", depth() < deepest]]) {
    const button = /** @type {HTMLButtonElement | null} */ (document.querySelector(`#${id}`));
    if (button) button.disabled = !possible;
  }
}

/** @param {string} query the server's, of what is on show now */
function showInAddress(query) {
  clearTimeout(writeTimer);
  writeTimer = setTimeout(writeAddress, opened ? PAUSE_MS : 0, query, opened);
  if (!opened && history.state === null) sessionStorage.setItem(DEEPEST, "0");
  opened = true;
  newest = query;
  markUndo();
}

/** @param {string} query */
function openLink(query) {
  writtenAt = 0;  // an entry of its own
  remember(`${location.pathname}?${fullQuery(query, location.search)}`);
  askForAddress();
}

function askForAddress() {
  clearTimeout(writeTimer);
  writtenAt = Date.now();
  markUndo();
  line.ask("edit", { query: location.search.slice(1) });
}

/** γ has stopped moving by itself: if its last value has been answered before, no other answer writes the address. */
function onRest() {
  clearTimeout(writeTimer);
  writeTimer = setTimeout(() => writeAddress(newest, true), REST_MS);
}

window.addEventListener("popstate", askForAddress);
document.addEventListener("open-link", ({ detail }) => openLink(detail));
document.addEventListener("story-rest", onRest);

// What the weights know, with buttons, and the progress of a download, which other answers do not take away. Texts only
// ever go through textContent.
const POLL_MS = 400;
const CANCELLED = "The download was cancelled: what has arrived is kept for the next time.";
const KEY = "retinanet-download"; // the download that this window waits for, also after a reload
const box = /** @type {HTMLElement} */ (element.querySelector(".banner"));

/**
 * @typedef {{ action: string, label: string, name?: string, depth?: number, download?: boolean }} BannerButton
 * @typedef {{ text: string, buttons: BannerButton[], source: string }} BannerState
 * @typedef {{ name: string, depth: number, window: string, before: string | null }} Waiting
 * @typedef {{ status: string, done: number, total: number, message: string }} DownloadState
 */

/**
 * Adds an element to another one.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {HTMLElement} parent
 * @param {T} tag
 * @param {string} name of its class
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
function add(parent, tag, name, text = "") {
  const node = document.createElement(tag);
  node.className = `banner-${name}`;
  if (tag === "button") node.setAttribute("type", "button");
  node.textContent = text;
  parent.append(node);
  return node;
}

const words = add(box, "p", "text");
const buttons = add(box, "div", "buttons");
const source = add(box, "p", "source");
const download = add(box, "div", "download");
const status = add(download, "span", "status");
const bar = add(download, "progress", "bar");
const cancel = add(download, "button", "cancel", "Cancel");
status.setAttribute("role", "status");
bar.setAttribute("aria-label", "Download of the weights");
download.hidden = true;
let shown = "";

/** Returns the download that this window waits for. @returns {Waiting | null} */
const waiting = () => JSON.parse(sessionStorage.getItem(KEY) ?? "null");

/** @param {string | null | undefined} value */
function show(value) {
  if (value === null || value === undefined || value === shown) return;
  shown = value;
  /** @type {BannerState} */
  const state = value ? JSON.parse(value) : { text: "", buttons: [], source: "" };
  words.textContent = state.text;
  source.textContent = state.source;
  buttons.replaceChildren();
  for (const each of state.buttons) {
    add(buttons, "button", "button", each.label).addEventListener("click", () => press(each));
  }
  arrange();
}

/** Shows the parts that have something to say. */
function arrange() {
  words.hidden = !words.textContent;
  source.hidden = !source.textContent;
  buttons.hidden = !buttons.childElementCount;
  box.hidden = words.hidden && download.hidden;
  markEmpty(box.hidden);
}

/** @param {BannerButton} button */
function press({ action, name = "", depth = 0, download: needed = false }) {
  if (action === "teach") return outOfLesson(teach);
  if (!needed) return trigger("select", { action, name });
  if (waiting()) return;
  const window = `${Date.now()}-${Math.random()}`;
  sessionStorage.setItem(KEY, JSON.stringify({ name, depth, window, before: findWeights() }));
  return ask("join");
}

/** Returns the name of the weights in use, null while a setting is on its way. @returns {string | null} */
function findWeights() {
  const request = live.currentRequest();
  return request && JSON.parse(request.settings)["model.weights"];
}

/** Opens the panel "My pictures", as its button in the header does. */
function teach() {
  /** @type {HTMLElement | null} */ (document.querySelector("#my-pictures"))?.click();
}

/**
 * Asks the server about the download that this window waits for, and goes on asking while it runs.
 *
 * @param {"join" | "leave" | "read"} verb
 */
async function ask(verb) {
  const wanted = waiting();
  if (!wanted || !element.isConnected) return;
  /** @type {DownloadState | null} */
  const state = await server.download({ ...wanted, verb }).catch(() => null);
  if (waiting()?.window !== wanted.window) return; // cancelled, or asked again, meanwhile
  if (state?.status === "running" || !state) {
    if (state) showProgress(state);
    setTimeout(() => ask("read"), POLL_MS);
    return;
  }
  sessionStorage.removeItem(KEY);
  if (state.status === "here") return finish(wanted);
  showEnd(state.message || CANCELLED);
}

/** @param {Waiting} wanted */
function finish({ name, before }) {
  showEnd("");
  trigger("select", { action: "downloaded", name, before });
}

/** @param {DownloadState} state */
function showProgress({ done, total }) {
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(0);
  status.textContent = `Downloading the weights: ${megabytes(done)} of ${megabytes(total)} MB`;
  [bar.max, bar.value] = [total, done];
  bar.hidden = cancel.hidden = download.hidden = false;
  buttons.classList.add("banner-waiting");
  arrange();
}

/** @param {string} message */
function showEnd(message) {
  status.textContent = message;
  bar.hidden = cancel.hidden = true;
  download.hidden = !message;
  buttons.classList.remove("banner-waiting");
  arrange();
}

cancel.addEventListener("click", () => {
  const wanted = waiting();
  sessionStorage.removeItem(KEY);
  if (wanted) server.download({ ...wanted, verb: "leave" }).catch(() => null);
  showEnd(CANCELLED);
});

const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();
ask("read");

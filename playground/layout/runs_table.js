// The table of runs. `plot.js` comes before this and draws the figure. The server is asked while the training step is
// visible: what it sends is text, and enters the page as text only.
const POLL_MS = 2000;
const FAR_MS = 10_000;  // between two polls while the table is out of sight
const UNDO_MS = 20000;
const SILENT = "The server does not answer. Is it still running? Reload the page.";
/** @type {(selector: string) => HTMLElement} */
const find = (selector) => /** @type {HTMLElement} */ (element.querySelector(selector));
const [head, body, message] = [find("thead"), find("tbody"), find(".runs-message")];
const search = /** @type {HTMLInputElement} */ (find("input[type=search]"));
/** @type {RunsTable} */
let table = { columns: [], rows: [], trash: [], figure: "", problem: "" };
let stamp = "";
/** @type {string[]} */
let chosen = [];  // runs that are drawn, the first chosen first
/** @type {SortOrder} */
let order = { key: "", ascending: true };
let edited = "";  // run whose name is being edited
/** @type {Map<string, {source: string, node: HTMLElement}>} */
const nodes = new Map();  // by name, with the data each was built from
/** @type {RunsRequest[]} */
let queue = [];
let busy = false;
let undoTimer = 0;
let inSight = false;
let polledAt = -FAR_MS;

/**
 * Builds an element. Attributes that begin with "on" are listeners; null and false leave an attribute out.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | null | undefined | ((event: Event) => void)>} attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function build(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/**
 * Returns the element of a name, built anew only if its data have changed: what is pressed or focused stays as it is.
 *
 * @param {string} name
 * @param {unknown} data
 * @param {() => HTMLElement} create
 */
function reuse(name, data, create) {
  const source = JSON.stringify(data);
  let known = nodes.get(name);
  if (known?.source !== source) {
    known = { source, node: create() };
    nodes.set(name, known);
  }
  return known.node;
}

/**
 * Gives an element its children, and moves only those that are in another position.
 *
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} children
 */
function replaceChildren(parent, children) {
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild?.remove();
}

// ---- the server

/**
 * Sends requests one after another; a poll is left out while anything else is in progress.
 *
 * @param {RunsRequest} request
 */
function send(request) {
  if (request.act === "look" && (busy || queue.length)) return;
  queue.push(request);
  sendNext();
}

async function sendNext() {
  const [request, ...rest] = queue;
  if (busy || !request) return;
  busy = true;
  queue = rest;
  const answer = await server.runs({ ...request, chosen, stamp }).catch(() => null);
  busy = false;
  if (answer) receive(answer, request);
  else showMessage(SILENT);
  sendNext();
}

/**
 * @param {RunsAnswer} answer
 * @param {RunsRequest} request
 */
function receive(answer, request) {
  if (answer.said) showMessage(answer.said, answer.undo);
  else if (message.textContent === SILENT) showMessage("");
  if (request.act === "label" && !answer.said && request.run === edited) edited = "";  // or another is by now
  if (answer.shown) {
    stamp = answer.stamp ?? "";
    table = JSON.parse(answer.shown);
    draw(table.figure);
  }
  if (answer.shown || request.act === "label") render();
}

/**
 * @param {string} text
 * @param {string} [undo] key of what was deleted
 */
function showMessage(text, undo) {
  clearTimeout(undoTimer);
  message.replaceChildren(text);
  if (undo) {
    message.append(build("button", { type: "button", onclick: () => send({ act: "restore", key: undo }) }, "Undo"));
    undoTimer = setTimeout(showMessage, UNDO_MS, "");
  }
}

function poll() {
  if (document.body.dataset.step !== "training" || document.visibilityState !== "visible") return;
  if (!inSight && performance.now() < polledAt + FAR_MS) return;
  polledAt = performance.now();
  send({ act: "look" });
}

/** @param {IntersectionObserverEntry[]} entries */
function noticeSight(entries) {
  inSight = entries[entries.length - 1].isIntersecting;
  if (inSight) poll();
}

// ---- the table

function foundRows() {
  const words = parseSearch(search.value);
  return table.rows.filter((row) => matchesSearch(row, words, table.columns));
}

function render() {
  const focused = document.activeElement?.closest("[data-focus]")?.getAttribute("data-focus");
  const rows = foundRows();
  const columns = selectColumns(table.columns, rows);
  replaceChildren(head, [reuse("head", [columns, order], () => buildHead(columns))]);
  const drawAll = /** @type {HTMLInputElement} */ (head.querySelector("input"));
  drawAll.checked = rows.length > 0 && rows.every((row) => chosen.includes(row.run));
  replaceChildren(body, sortRows(rows, order, table.columns).map((row) => showRow(row, columns)));
  find(".runs-count").textContent = table.rows.length ? `${rows.length} of ${table.rows.length}` : "no runs yet";
  find(".runs-problem").textContent = table.problem;
  find(".runs-problem").hidden = !table.problem;
  showTrash();
  if (focused && !element.contains(document.activeElement)) find(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

/** @param {ShownColumn[]} columns */
function buildHead(columns) {
  return build(
    "tr", {},
    build("th", { scope: "col" }, buildDrawAll()),
    columnHead("name", "name", "Name and tags", ""),
    columnHead("state", "state", "State of the run", ""),
    ...columns.map(({ key, title, about, setting }) => columnHead(key, title, about, cellClass(setting))),
    build("th", { scope: "col", class: "runs-acts" }, build("span", { class: "runs-hidden" }, "Actions")),
  );
}

/** @param {boolean} setting */
const cellClass = (setting) => (setting ? "runs-setting" : "runs-result");

/**
 * @param {string} key
 * @param {string} title
 * @param {string} about
 * @param {string} kind its class
 */
function columnHead(key, title, about, kind) {
  const direction = order.ascending ? "ascending" : "descending";
  const sort = () => {
    order = nextOrder(order, key);
    render();
  };
  const button = build("button", { type: "button", "data-focus": `sort ${key}`, onclick: sort }, title);
  const attributes = { scope: "col", title: about, class: kind, "aria-sort": order.key === key ? direction : null };
  return build("th", attributes, button);
}

/** Builds the box that draws all visible rows, or none of them. */
function buildDrawAll() {
  const box = build("input", { type: "checkbox", "aria-label": "Draw all visible runs", "data-focus": "all" });
  box.addEventListener("change", () => {
    const names = foundRows().map((row) => row.run);
    const others = chosen.filter((name) => !names.includes(name));
    chosen = box.checked ? [...others, ...names] : others;
    render();
    send({ act: "draw" });
  });
  return box;
}

/**
 * Returns a run's row; a row with new numbers keeps its buttons.
 *
 * @param {Row} row
 * @param {ShownColumn[]} columns
 */
function showRow(row, columns) {
  const name = `row ${row.run}`;
  if (row.run === edited) {
    const cell = () => build("td", { colspan: String(columns.length + 4) }, buildForm(row));
    return reuse(name, "form", () => build("tr", { "data-run": row.run }, cell()));
  }
  const node = reuse(name, [row.title, row.tags, row.mine, columns], () => buildRow(row, columns));
  const box = /** @type {HTMLInputElement} */ (node.querySelector("input"));
  const [state, ...cells] = /** @type {NodeListOf<HTMLElement>} */ (
    node.querySelectorAll(".runs-state, .runs-setting, .runs-result")
  );
  node.dataset.state = row.state;
  box.checked = chosen.includes(row.run);
  state.title = row.message;
  setText(state, row.state);
  cells.forEach((cell, at) => setText(cell, row.cells[columns[at].at][TEXT]));
  return node;
}

/**
 * @param {HTMLElement} cell
 * @param {string} text
 */
function setText(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

search.addEventListener("input", render);
new MutationObserver(poll).observe(document.body, { attributes: true, attributeFilter: ["data-step"] });
new IntersectionObserver(noticeSight).observe(element);
setInterval(poll, POLL_MS);
render();
poll();

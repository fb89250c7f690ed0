// The table of runs. `plot.js` stands before this and draws the figure. The server is asked while the training step is
// on show: what it sends is text, and gets into the page as text alone.
const LOOK_MS = 2000;
const UNDO_MS = 20000;
const [SORT, TEXT] = [0, 1];  // of a cell
const find = (selector) => element.querySelector(selector);
const [head, body, said, field] = [find("thead"), find("tbody"), find(".runs-said"), find("input[type=search]")];
let shown = { columns: [], rows: [], trash: [], figure: "", problem: "", limits: { drawn: 0, tags: 0 } };
let stamp = "";
let chosen = [];  // runs that are drawn, the first chosen first
let order = { key: "", up: true };  // as the server has them: the newest first
let edited = "";  // the run whose name is being written
const elements = new Map();  // on the page, by name, with what each is made of: {of, made}
let queue = [];
let busy = false;
let undoing = 0;

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Makes something anew only if what it is made of has changed: what is pressed or focused then stays where it is. */
function kept(name, of, build) {
  const text = JSON.stringify(of);
  if (elements.get(name)?.of !== text) elements.set(name, { of: text, made: build() });
  return elements.get(name).made;
}

/** Gives an element its children, and moves only what is not in its place. */
function place(parent, children) {
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

/** Asks the server, one thing after another; what is only a look is left out while something else waits. */
function ask(request) {
  if (request.act === "look" && (busy || queue.length)) return;
  queue.push(request);
  pump();
}

async function pump() {
  if (busy || !queue.length) return;
  busy = true;
  const request = queue.shift();
  const answer = await server.runs({ ...request, chosen, stamp }).catch(() => null);
  busy = false;
  if (!answer) tell("The server does not answer. Is it still running? Reload the page.");
  else take(answer, request);
  pump();
}

function take(answer, request) {
  if (answer.said) tell(answer.said, answer.undo);
  if (request.act === "label" && !answer.said) edited = "";
  if (answer.shown) {
    stamp = answer.stamp;
    shown = JSON.parse(answer.shown);
    draw(shown.figure);
  }
  if (answer.shown || request.act === "label") render();
}

function tell(text, undo) {
  clearTimeout(undoing);
  said.replaceChildren(text);
  if (undo) {
    said.append(make("button", { type: "button", onclick: () => ask({ act: "restore", key: undo }) }, "Undo"));
    undoing = setTimeout(tell, UNDO_MS, "");
  }
}

const wanted = () => field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);

/** Every word must be in what a row says; "#tag" is a tag from its beginning. */
function found(row) {
  const settings = shown.columns.flatMap((column, at) => (column.setting ? [column.title, row.cells[at][TEXT]] : []));
  const text = [row.title, row.run, row.state, ...settings].join(" ").toLowerCase();
  const tags = row.tags.map((tag) => tag.toLowerCase());
  return wanted().every((word) => (word.startsWith("#")
    ? tags.some((tag) => tag.startsWith(word.slice(1)))
    : text.includes(word) || tags.some((tag) => tag.includes(word))));
}

function sortKey(row) {
  if (order.key === "name") return row.title.toLowerCase();
  if (order.key === "state") return row.state;
  return row.cells[shown.columns.findIndex((column) => column.key === order.key)]?.[SORT] ?? null;
}

/** Nothing comes last, whichever way it is sorted. */
function sorted(rows) {
  if (!order.key) return rows;
  const sign = order.up ? 1 : -1;
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  return rows
    .map((row) => [sortKey(row), row])
    .sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)))
    .map(([, row]) => row);
}

function sortBy(key) {
  order = order.key === key ? { key, up: !order.up } : { key, up: true };
  render();
}

function render() {
  const focused = document.activeElement?.closest?.("[data-focus]")?.dataset.focus;
  const rows = shown.rows.filter(found);
  // A setting that is the same in all rows on show tells nothing.
  const columns = shown.columns
    .map((column, at) => ({ ...column, at }))
    .filter(({ setting, at }) => !setting || new Set(rows.map((row) => row.cells[at][TEXT])).size > 1);
  place(head, [kept("head", [columns, order], () => heading(columns))]);
  mark(rows);
  place(body, sorted(rows).map((row) => line(row, columns)));
  find(".runs-count").textContent = shown.rows.length ? `${rows.length} of ${shown.rows.length}` : "no runs yet";
  find(".runs-problem").textContent = shown.problem;
  find(".runs-problem").hidden = !shown.problem;
  trash();
  if (focused && !element.contains(document.activeElement)) find(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function heading(columns) {
  const cell = (key, title, about, kind) => {
    const direction = order.key === key ? (order.up ? "ascending" : "descending") : null;
    const button = make("button", { type: "button", "data-focus": `sort ${key}`, onclick: () => sortBy(key) }, title);
    return make("th", { scope: "col", title: about, class: kind, "aria-sort": direction }, button);
  };
  return make(
    "tr", {},
    make("th", { scope: "col" }, all()),
    cell("name", "name", "Name and tags", ""),
    cell("state", "state", "How the run stands", ""),
    ...columns.map(({ key, title, about, setting }) => cell(key, title, about, setting ? "runs-setting" : "runs-result")),
    make("th", { scope: "col", class: "runs-acts" }, make("span", { class: "runs-hidden" }, "Actions")),
  );
}

/** Draws all rows on show, or none of them. */
function all() {
  const box = make("input", { type: "checkbox", "aria-label": "Draw all on show", "data-focus": "all" });
  box.addEventListener("change", () => {
    const names = shown.rows.filter(found).map((row) => row.run);
    const others = chosen.filter((name) => !names.includes(name));
    chosen = box.checked ? [...others, ...names] : others;
    render();
    ask({ act: "draw" });
  });
  return box;
}

function mark(rows) {
  head.querySelector("input").checked = rows.length > 0 && rows.every((row) => chosen.includes(row.run));
}

/** A run's line; one whose figures have changed keeps its buttons. */
function line(row, columns) {
  const name = `line ${row.run}`;
  if (row.run === edited) {
    const span = columns.length + 4;
    return kept(name, "form", () => make("tr", { "data-run": row.run }, make("td", { colspan: span }, form(row))));
  }
  const made = kept(name, [row.title, row.tags, row.mine, columns], () => emptyLine(row, columns));
  const [box, state, ...cells] = made.querySelectorAll("input, .runs-state, .runs-setting, .runs-result");
  made.dataset.state = row.state;
  box.checked = chosen.includes(row.run);
  state.title = row.message;
  for (const [cell, text] of [[state, row.state], ...cells.map((each, at) => [each, row.cells[columns[at].at][TEXT]])]) {
    if (cell.textContent !== text) cell.textContent = text;
  }
  return made;
}

function emptyLine(row, columns) {
  const box = make("input", { type: "checkbox", "aria-label": `Draw ${row.title}`, "data-focus": `draw ${row.run}` });
  box.addEventListener("change", () => choose(row.run, box.checked));
  return make(
    "tr", { "data-run": row.run },
    make("td", {}, box),
    make("th", { scope: "row" }, title(row), ...row.tags.map(tag)),
    make("td", { class: "runs-state" }),
    ...columns.map(({ setting }) => make("td", { class: setting ? "runs-setting" : "runs-result" })),
    make(
      "td", { class: "runs-acts" },
      ...(row.mine ? [
        button("✎", `Name and tags of ${row.title}`, row.run, () => edit(row.run)),
        button("✕", `Delete ${row.title}`, row.run, () => remove(row.run)),
      ] : []),
    ),
  );
}

function title(row) {
  const told = make("span", { class: "runs-title" }, row.title);
  return row.title === row.run ? told : make("span", {}, told, make("small", {}, row.run));
}

function tag(text) {
  const filter = () => { field.value = `#${text}`; render(); };
  return make("button", { type: "button", class: "runs-tag", title: `Only runs with the tag ${text}`, onclick: filter }, `#${text}`);
}

function button(text, label, run, act) {
  return make("button", { type: "button", title: label, "aria-label": label, "data-focus": `${text} ${run}`, onclick: act }, text);
}

function choose(run, on) {
  chosen = on ? [...chosen, run] : chosen.filter((each) => each !== run);
  ask({ act: "draw" });
}

function edit(run) {
  edited = run;
  render();
  body.querySelector("form input")?.focus();
}

function form(row) {
  const longest = find(".runs").dataset.longest;
  const name = make("input", { type: "text", maxlength: longest, "aria-label": "Name", placeholder: row.run });
  const tags = make("input", { type: "text", "aria-label": "Tags", placeholder: "tags, with commas between them" });
  [name.value, tags.value] = [row.name, row.tags.join(", ")];
  const leave = () => { edited = ""; render(); };
  const save = (event) => {
    event.preventDefault();
    ask({ act: "label", run: row.run, name: name.value, tags: tags.value });
  };
  const made = make(
    "form", { onsubmit: save }, name, tags,
    make("button", { type: "submit" }, "Save"), make("button", { type: "button", onclick: leave }, "Cancel"),
  );
  made.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
  return made;
}

function remove(run) {
  chosen = chosen.filter((each) => each !== run);
  ask({ act: "delete", run });
}

function trash() {
  find(".runs-trash").hidden = !shown.trash.length;
  find(".runs-trash summary").textContent = `Deleted runs (${shown.trash.length})`;
  place(find(".runs-trash ul"), shown.trash.map((each) => kept(`trash ${each.key}`, each, () => make(
    "li", {}, each.title === each.name ? each.title : `${each.title} (${each.name})`,
    button("Put back", `Put ${each.title} back`, each.key, () => ask({ act: "restore", key: each.key })),
  ))));
}

function look() {
  if (document.body.dataset.step === "training" && document.visibilityState === "visible") ask({ act: "look" });
}

field.addEventListener("input", render);
new MutationObserver(look).observe(document.body, { attributes: true, attributeFilter: ["data-step"] });
setInterval(look, LOOK_MS);
render();
look();

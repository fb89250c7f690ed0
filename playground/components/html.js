// Shows HTML made by Python. It is set here: in a template, Gradio would evaluate a "${…}" in somebody's file name.
//
// Table rows emphasise their box in the picture; `canvas/pointing.js` draws it, and reports the selected box.
const CLICK_MS = 50;  // within which the click, and a slider's change, follow the end of the press
const readout = /** @type {HTMLElement} */ (element.querySelector("[data-html]"));
const status = /** @type {HTMLElement} */ (element.querySelector("[role=status]"));
let pressed = false;  // something in it is under a pointer
/** @type {string | null} */
let waiting = null;  // newest value that has come meanwhile
let pressTimer = 0;

/** @param {string} value */
function paintReadout(value) {
  const before = new Map(allDetails().map((each) => [titleOf(each), each.open]));
  const { choose, set } = focusedData();
  const place = focusables().indexOf(/** @type {HTMLElement} */ (document.activeElement));
  readout.innerHTML = value || "";
  for (const each of allDetails()) each.open = before.get(titleOf(each)) ?? each.open;  // keeps sections open
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (readout.querySelectorAll("[data-choose], [data-set]"))) {
    if ((choose && each.dataset.choose === choose) || (set && each.dataset.set === set)) each.focus();
  }
  if (place >= 0 && !readout.contains(document.activeElement)) focusables()[place]?.focus({ preventScroll: true });
  announce();
  markEmpty(!value);
  document.body.toggleAttribute("data-progress", document.querySelector(".readout progress") !== null);
  for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (readout.querySelectorAll("[class*=wide] table"))) {
    nameCells(table);
  }
  readout.dataset.drawn = String(Number(readout.dataset.drawn || 0) + 1);
  markRow();
}

// ---- presses

/**
 * Paints a value, unless something is pressed: what is replaced gets no click, and the drag of a slider ends unheard.
 *
 * @param {string} value
 */
function paintUnlessPressed(value) {
  if (pressed) waiting = value;
  else paintReadout(value);
}

/** @param {PointerEvent} event */
function onPress({ button }) {
  if (button !== 0) return;
  clearTimeout(pressTimer);
  pressed = true;
}

function onRelease() {
  if (!pressed) return;
  clearTimeout(pressTimer);
  pressTimer = setTimeout(() => {
    const value = waiting;
    [pressed, waiting] = [false, null];
    if (value !== null) paintReadout(value);
  }, CLICK_MS);
}

readout.addEventListener("pointerdown", onPress);
for (const kind of ["pointerup", "pointercancel", "contextmenu"]) document.addEventListener(kind, onRelease, true);
window.addEventListener("blur", onRelease);  // a release outside the window fires no pointerup

// ---- what painting keeps

/** Returns everything in it that can have the keyboard's focus. */
function focusables() {
  const found = readout.querySelectorAll("button, input, summary, [tabindex]");
  return /** @type {HTMLElement[]} */ ([...found]);
}

/** Says what has become of something that takes time, once; the numbers in between would be too much to listen to. */
function announce() {
  const said = readout.querySelector("[data-said]")?.textContent ?? "";
  if (status.textContent !== said) status.textContent = said;
}

const allDetails = () => [...readout.querySelectorAll("details")];

/** @param {HTMLDetailsElement} details */
const titleOf = (details) => details.firstChild?.textContent;

/** Returns the data of the element that has the keyboard's focus, which painting would lose. */
function focusedData() {
  const focused = document.activeElement;
  return readout.contains(focused) ? /** @type {HTMLElement} */ (focused).dataset : {};
}

/**
 * Names each cell after its column: where a wide table has too little room, its rows are lists of named values.
 *
 * @param {HTMLTableElement} table
 */
function nameCells(table) {
  const names = [...table.querySelectorAll("thead th")].map((each) => each.textContent ?? "");
  for (const row of table.tBodies[0]?.rows ?? []) {
    [...row.cells].forEach((cell, index) => { cell.dataset.label = names[index]; });
  }
}

// ---- rows and boxes

/** @param {EventTarget | null} node */
function rowOf(node) {
  return node instanceof Element ? /** @type {HTMLElement | null} */ (node.closest("tr[data-box]")) : null;
}

/**
 * Tells the picture about a row.
 *
 * @param {"pic-point" | "pic-choose"} name
 * @param {HTMLElement | null} row
 */
function tellPicture(name, row) {
  document.dispatchEvent(new CustomEvent(name, { detail: row?.dataset.box ?? "" }));
}

function markRow() {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (readout.querySelectorAll("tr[data-box]"))) {
    if (row.dataset.box === document.body.dataset.selected) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

for (const kind of ["pointerover", "focusin"]) {
  readout.addEventListener(kind, ({ target }) => tellPicture("pic-point", rowOf(target)));
}
for (const kind of ["pointerleave", "focusout"]) {
  readout.addEventListener(kind, () => tellPicture("pic-point", null));
}
readout.addEventListener("keydown", ({ key, target }) => {
  if (key === "Enter" && target === rowOf(target)) tellPicture("pic-choose", rowOf(target));
});
document.addEventListener("pic-selected", markRow);

// ---- selection

readout.addEventListener("click", ({ target }) => {
  const link = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-choose]")) : null;
  const row = rowOf(target);
  const [kind, name, value] = (link?.dataset.choose ?? "").split(" ");
  if (kind === "dial") live.dial(name, value);
  else if (link) trigger("select", { choose: link.dataset.choose });
  else if (row) tellPicture("pic-choose", row);
});
readout.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.dataset.set || !target.nextElementSibling) return;
  target.nextElementSibling.textContent = target.value;
});
readout.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.dataset.set) return;
  trigger("select", { choose: `${target.dataset.set} ${target.value}` });
});

const showReadout = live.part(props.part, paintUnlessPressed, () => props.value);
watch("value", showReadout);
showReadout();

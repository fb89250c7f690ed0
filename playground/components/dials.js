// Dials beside a figure. Their elements stay while values come and go, so that a drag or the focus is not lost. Texts
// from users only ever go through textContent.
const bar = /** @type {HTMLElement} */ (element.querySelector(".dials"));
/** @type {DialState[]} */
let shown = [];
let held = -1;  // index of the slider under the finger, -1 for none

/**
 * Returns what a slider sends: its number, or a list of numbers in which it has replaced its own.
 *
 * @param {DialState} dial
 * @param {string} number
 */
function sentValue({ part, whole }, number) {
  if (part < 0) return number;
  const numbers = whole.split(",");
  numbers[part] = number;
  return numbers.join(",");
}

/**
 * Returns a slider's value after some steps, within its bounds.
 *
 * @param {DialState} dial
 * @param {number} steps
 */
function stepped({ value, step, low, high }, steps) {
  const digits = (String(step).split(".")[1] ?? "").length;
  return Math.min(high, Math.max(low, Number(value) + steps * step)).toFixed(digits);
}

/** @param {number} index */
const dialAt = (index) => shown[index];

/**
 * Sends a value and keeps it, since the next one may come before the answer.
 *
 * @param {number} index of the dial
 * @param {string} value
 */
function send(index, value) {
  const dial = dialAt(index);
  const text = sentValue(dial, value);
  if (dial.kind === "slider") dial.value = value;
  for (const each of shown) if (each.name === dial.name && each.part >= 0 && dial.part >= 0) each.whole = text;
  live.dial(dial.name, text);
}

/**
 * @param {string} text
 * @param {string} name for screen readers
 * @param {() => void} act
 */
function createNamedButton(text, name, act) {
  const button = createButton(text, act);
  button.setAttribute("aria-label", name);
  return button;
}

/**
 * @param {DialState} dial
 * @param {number} index
 */
function createDial(dial, index) {
  if (dial.kind === "button") return createButton(dial.label, () => send(index, dialAt(index).value));
  const label = document.createElement("label");
  label.append(document.createElement("span"));
  if (dial.kind === "choice") {
    const list = document.createElement("select");
    list.addEventListener("change", () => send(index, list.value));
    label.append(list);
    return label;
  }
  const slider = document.createElement("input");
  slider.type = "range";
  slider.addEventListener("input", () => {
    send(index, slider.value);
    showNumber(label, slider.value);
  });
  /** @param {number} steps */
  const go = (steps) => {
    slider.value = stepped(dialAt(index), steps);
    send(index, slider.value);
    showNumber(label, slider.value);
  };
  const row = document.createElement("div");
  row.className = "dial";
  label.append(slider, document.createElement("output"));
  row.append(
    label,
    createNamedButton("−", `${dial.label}: a step down`, () => go(-1)),
    createNamedButton("+", `${dial.label}: a step up`, () => go(1)),
  );
  return row;
}

/**
 * @param {Element} node
 * @param {string} text
 */
function showNumber(node, text) {
  const output = node.querySelector("output");
  if (output) output.textContent = text;
}

/**
 * @param {HTMLElement} node
 * @param {DialState} dial
 */
function updateDial(node, dial) {
  const span = node.querySelector("span");
  if (span) span.textContent = dial.label;
  const list = node.querySelector("select");
  if (list) {
    const print = JSON.stringify(dial.choices);
    if (list.dataset.print !== print) {
      list.replaceChildren(...dial.choices.map(([text, value]) => new Option(text, value)));
      list.dataset.print = print;
    }
    list.value = dial.value;
  }
  const slider = node.querySelector("input");
  if (!slider) return;
  [slider.min, slider.max, slider.step] = [dial.low, dial.high, dial.step].map(String);
  slider.value = dial.value;
  showNumber(node, dial.value);
}

/** @param {string} value */
function show(value) {
  /** @type {DialState[]} */
  const next = value ? JSON.parse(value) : [];
  const same = next.map(({ name, kind, part }) => `${name} ${kind} ${part}`).join();
  if (bar.dataset.print !== same) {
    shown = next;
    bar.replaceChildren(...next.map(createDial));
    bar.dataset.print = same;
  }
  // A slider under the finger is ahead of the answer.
  shown = next.map((dial, index) => (index === held ? { ...dial, value: shown[index].value } : dial));
  shown.forEach((dial, index) => updateDial(/** @type {HTMLElement} */ (bar.children[index]), dial));
  bar.hidden = !next.length;
  markEmpty(bar.hidden);
}

bar.addEventListener("pointerdown", ({ target }) => {
  held = [...bar.children].findIndex((node) => target instanceof HTMLInputElement && node.contains(target));
});
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => { held = -1; }, true);

const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();

// Shows when an idle knob would act, opens the help of knobs, and names the buttons that reset sliders.

const HOVER_MS = 250;  // for which the pointer rests on a name before its help opens
/** @type {Record<string, string>} */
const resetNames = JSON.parse(props.names || "{}");
let hoverTimer = 0;
let tabbed = false;  // the focus was moved by the keyboard: help that opened at a click would move what is clicked

/**
 * Returns the note of a knob, and ties it and the help to the knob's controls: Gradio may have made these anew.
 *
 * @param {Element} knob
 */
function describeKnob(knob) {
  let note = knob.querySelector(".idle-note");
  if (!note) {
    note = document.createElement("p");
    note.className = "idle-note";
    note.id = `${knob.id}-idle`;
    knob.append(note);
  }
  const help = knob.querySelector(".info-text");
  if (help) help.id = `${knob.id}-help`;
  for (const control of knob.querySelectorAll("input")) {
    control.setAttribute("aria-describedby", `${knob.id}-help ${note.id}`);
  }
  return note;
}

/** Gradio gives the buttons of all sliders the same name. */
function nameResets() {
  for (const [id, name] of Object.entries(resetNames)) {
    const button = document.getElementById(id)?.querySelector("button.reset-button");
    button?.setAttribute("aria-label", name);
    button?.setAttribute("title", name);
  }
}

/**
 * Shows why knobs do not act, and quiets them unless they move the figure on show.
 *
 * @param {string} value a reason, and whether the knob is quiet, by the id of the knob's element, as JSON
 */
function paintIdle(value) {
  /** @type {Record<string, [string, boolean]>} */
  const reasons = JSON.parse(value || "{}");
  for (const knob of document.querySelectorAll(".knob")) {
    const note = describeKnob(knob);
    const [reason, quiet] = reasons[knob.id] ?? ["", false];
    note.textContent = reason;
    knob.toggleAttribute("data-idle", quiet);
  }
  nameResets();
}

/**
 * Opens the help of one knob and closes that of all others.
 *
 * @param {Element | null} knob null closes all
 */
function openHelp(knob) {
  clearTimeout(hoverTimer);
  for (const other of document.querySelectorAll(".knob[data-help]")) {
    if (other !== knob) other.removeAttribute("data-help");
  }
  knob?.setAttribute("data-help", "");
}

/**
 * Returns the knob whose name, which carries the question mark, is at a place in the page.
 *
 * @param {EventTarget | null} target
 */
function findNamed(target) {
  const name = target instanceof Element && target.closest('.knob [data-testid="block-info"], .knob .label-text');
  return name ? name.closest(".knob") : null;
}

/** Returns the knob to which the keyboard has moved the focus. */
const findFocused = () => (tabbed ? document.querySelector(".knob:has(:focus-visible)") : null);

/**
 * Lets the picture scroll away on a phone while a number is typed: the keyboard takes half of the screen.
 *
 * @param {EventTarget | null} target what has the focus
 */
function markTyping(target) {
  const typing = target instanceof Element && target.closest('.left input[type="number"]') !== null;
  document.querySelector(".layout")?.toggleAttribute("data-typing", typing);
}

document.addEventListener("focusin", ({ target }) => {
  const knob = target instanceof Element && target.closest(".knob");
  if (knob) describeKnob(knob);
  markTyping(target);
  openHelp(findFocused());
});
document.addEventListener("focusout", () => markTyping(null));
document.addEventListener("pointerover", ({ target, pointerType }) => {
  if (pointerType === "touch") return;  // a finger opens it by a tap
  const knob = findNamed(target);
  clearTimeout(hoverTimer);
  if (!knob && !document.querySelector(".knob[data-help]")) return;
  hoverTimer = setTimeout(() => openHelp(knob ?? findFocused()), HOVER_MS);
});
document.addEventListener("pointerdown", ({ target, pointerType }) => {
  tabbed = false;
  if (pointerType !== "touch") return;
  const knob = findNamed(target);
  openHelp(knob?.hasAttribute("data-help") ? null : knob);
});
document.addEventListener("click", (event) => {
  const tap = event instanceof PointerEvent && event.pointerType === "touch";
  const title = event.target instanceof Element && event.target.closest('.knob [data-testid="block-info"]');
  if (tap && title) event.preventDefault();  // a label passes the focus on, which brings the keyboard of a phone
});
document.addEventListener("keydown", ({ key }) => {
  if (key === "Tab") tabbed = true;
  if (key === "Escape") openHelp(null);
}, true);  // before Gradio's components, which keep some keys to themselves

const show = live.part(props.part, paintIdle, () => props.value);
watch("value", show);
show();

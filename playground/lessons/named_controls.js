// Leaves only the knobs and controls that a lesson's step names beside its text.
const LESSON = "body[data-lesson]:not([data-all], [data-whole-step]) .layout[data-lesson]";
const NAMED_RULES = `${LESSON} .left .of-step[data-around] { display: flex !important; }
${LESSON} .left .of-step:not([data-around]),
${LESSON} .left .of-step :not([data-named], [data-named] *, [data-around]),
${LESSON} .right > .form:not([data-around]), ${LESSON} .right > .form > :not([data-named], [data-around]) {
  display: none !important;
}`;
/** @type {string[]} */
let namedIds = [];  // of the elements that the step names

/** Marks the elements that the step names, and those around them: styles hide all others beside the text. */
function markNamed() {
  const named = /** @type {Set<Element>} */ (new Set());
  const around = /** @type {Set<Element>} */ (new Set());
  for (const id of namedIds) {
    const node = document.getElementById(id);
    if (!node?.closest(".left, .right")) continue;
    named.add(node);
    for (let outer = node.parentElement; outer && !outer.matches(".left, .right"); outer = outer.parentElement) {
      around.add(outer);
    }
  }
  markOnly("data-named", named);
  markOnly("data-around", around);
}

/**
 * Gives an attribute to some elements and takes it from all others.
 *
 * @param {string} name
 * @param {Set<Element>} nodes
 */
function markOnly(name, nodes) {
  for (const node of document.querySelectorAll(`[${name}]`)) node.toggleAttribute(name, nodes.has(node));
  for (const node of nodes) node.toggleAttribute(name, true);
}

const namedObserver = new MutationObserver(markNamed);

/**
 * Marks what a step names, also what Gradio builds later.
 *
 * @param {string} link "" outside of lessons
 * @param {string[]} ids
 */
function watchNamed(link, ids) {
  namedIds = ids;
  namedObserver.disconnect();
  const knobs = document.querySelector("#knobs");
  if (link && knobs) namedObserver.observe(knobs, { childList: true, subtree: true });
  markNamed();
}

const namedStyles = document.createElement("style");
namedStyles.textContent = NAMED_RULES;
document.head.append(namedStyles);

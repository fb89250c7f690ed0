// The teacher's panel: builds the link for a class, and presents the lesson in full screen.

/** @type {TeacherChoices} */
const offered = JSON.parse(props.value);
const teacher = /** @type {HTMLElement} */ (element.querySelector(".lesson-teacher"));

/**
 * Returns the address of a class.
 *
 * @param {string} page the page's own address, without a query
 * @param {string[]} course links of the picked steps, in order; none for all
 * @param {string[]} hidden names of the hidden controls
 * @param {string} here link of the step on show, where a course of all steps begins
 */
function classLink(page, course, hidden, here) {
  const parts = [`lesson=${course[0] ?? here}`];
  if (course.length) parts.push(`course=${course.join()}`);
  if (hidden.length) parts.push(`hide=${hidden.join()}`);
  return `${page}?${parts.join("&")}`;
}

/**
 * @param {string} text
 * @param {string} kind
 * @param {string} name
 */
function createChoice(text, kind, name) {
  const [label, choice] = [document.createElement("label"), document.createElement("input")];
  choice.type = "checkbox";
  choice.dataset[kind] = name;
  label.append(choice, ` ${text}`);
  return label;
}

/**
 * @param {string} text
 * @param {Node[]} nodes
 */
function createGroup(text, nodes) {
  const [group, legend] = [document.createElement("fieldset"), document.createElement("legend")];
  legend.textContent = text;
  group.append(legend, ...nodes);
  return group;
}

/** @param {string} kind */
function chosenNames(kind) {
  const chosen = /** @type {NodeListOf<HTMLElement>} */ (teacher.querySelectorAll(`[data-${kind}]:checked`));
  return [...chosen].map((each) => each.dataset[kind] ?? "");
}

function showLink() {
  const page = location.origin + location.pathname;
  const here = document.body.dataset.lesson || offered.lessons[0].steps[0][0];
  linkField.value = classLink(page, chosenNames("pick"), chosenNames("hide"), here);
}

/** Copies the link; where the browser offers no clipboard, as without https, it is selected instead. */
async function copyLink() {
  showLink();
  try {
    await navigator.clipboard.writeText(linkField.value);
    said.textContent = "Copied.";
  } catch {
    linkField.select();
    said.textContent = "Copy the selected link with Ctrl+C or ⌘C.";
  }
}

/** Shows the lesson alone in the whole screen, in letters for the back of a room. */
function presentLesson() {
  document.body.toggleAttribute("data-lesson-present", true);
  presenting.fillScreen(() => document.body.hasAttribute("data-lesson-present"));
}

function endPresenting() {
  document.body.removeAttribute("data-lesson-present");
  presenting.leaveScreen();
}

const [linkField, said, endButton] = [
  document.createElement("input"), document.createElement("span"), createButton("End presenting", endPresenting),
];
linkField.readOnly = true;
linkField.setAttribute("aria-label", "Link for the class");
said.setAttribute("role", "status");
endButton.className = "lesson-end-present";
const picks = offered.lessons.map(({ title, steps }) => (
  createGroup(title, steps.map(([link, step]) => createChoice(step, "pick", link)))));
const hides = createGroup("Hide from the class", offered.hide.map(([name, text]) => createChoice(text, "hide", name)));
const way = createGroup("Steps to go through (none chosen: all)", picks);
const actions = document.createElement("p");
actions.append(linkField, createButton("Copy link", copyLink), createButton("Present", presentLesson), said);
teacher.append(hides, way, actions);
element.append(endButton);
teacher.addEventListener("change", showLink);
teacher.addEventListener("toggle", showLink);
presenting.onScreenLeft(() => document.body.removeAttribute("data-lesson-present"));
// Whichever way the lesson is left, its button goes with it.
new MutationObserver(() => {
  if (!document.body.dataset.lesson && document.body.hasAttribute("data-lesson-present")) endPresenting();
}).observe(document.body, { attributes: true, attributeFilter: ["data-lesson"] });

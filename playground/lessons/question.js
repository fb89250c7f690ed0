// The question of a lesson, the numbers in its texts, and what the page points at, veils and must not hide meanwhile.
const box = /** @type {HTMLElement} */ (element.querySelector(".lesson-question"));
const NARROW = 900;  // px, up to which the page is one column
let currentLink = "";  // of the step on show
/** @type {number | null} */
let pending = null;  // the answer chosen, until the server has confirmed it

/**
 * @param {string} text
 * @param {number} index
 */
function createAnswer(text, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.answer = String(index);
  button.textContent = text;
  button.addEventListener("click", () => choose(index));
  return button;
}

/** @param {number} index */
function choose(index) {
  if (box.hasAttribute("data-answered") || pending !== null) return;
  pending = index;
  box.querySelectorAll("button")[index].setAttribute("aria-pressed", "true");
  trigger("select", { choose: String(index) });
}

/**
 * Returns how far an arrow key moves in a list, 0 for other keys.
 *
 * @param {string} key
 */
function arrowStep(key) {
  if (key === "ArrowDown" || key === "ArrowRight") return 1;
  return key === "ArrowUp" || key === "ArrowLeft" ? -1 : 0;
}

/** Arrow keys move between the answers, around at the ends; Space and Enter choose, as on all buttons. */
box.addEventListener("keydown", (event) => {
  const step = arrowStep(event.key);
  const answers = [...box.querySelectorAll("button")];
  const index = answers.findIndex((answer) => answer === event.target);
  if (!step || index < 0) return;
  event.preventDefault();
  answers[(index + step + answers.length) % answers.length].focus();
});

/** @param {LessonState} state */
function showQuestion({ question, answers, chosen, right }) {
  const key = JSON.stringify([currentLink, answers.length]);
  if (box.dataset.key !== key) box.replaceChildren(...(question ? createQuestion(answers) : []));
  box.dataset.key = key;  // otherwise the buttons stay, and the focus with them
  const answered = right !== null && chosen !== null;
  box.toggleAttribute("data-answered", answered);
  if (!question) return;
  /** @type {Element} */ (box.firstElementChild).textContent = question;
  box.querySelectorAll("button").forEach((button, index) => {
    button.textContent = answers[index];
    button.setAttribute("aria-pressed", String(index === (chosen ?? pending)));
    button.toggleAttribute("data-right", answered && right === index);
    if (answered) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  });
}

/** @param {string[]} answers */
function createQuestion(answers) {
  const heading = document.createElement("p");
  heading.id = "lesson-asks";
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-labelledby", heading.id);
  group.append(...answers.map(createAnswer));
  return [heading, group];
}

/**
 * Updates the numbers in the lesson's texts, which Gradio renders only when the step or the answer changes.
 *
 * @param {Record<string, string>} numbers by name
 */
function fillNumbers(numbers) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".lesson-number"))) {
    const text = numbers[node.dataset.number ?? ""];
    if (text !== undefined && node.textContent !== text) node.textContent = text;
  }
}

/**
 * Sets the attributes by which styles point at parts of the page, veil them, or keep them visible.
 *
 * @param {LessonState} state
 */
function markPage({ link, look = [], veil = [], needs = [] }) {
  document.querySelector(".layout")?.toggleAttribute("data-lesson", link !== "");  // see the head of style/page.css
  for (const [name, words] of Object.entries({ lesson: [link], look, veil, needs })) {
    if (words.join("")) document.body.dataset[name] = words.join(" ");
    else delete document.body.dataset[name];
  }
}

/**
 * Begins a step: its text is shown from the start, even if the page has been scrolled.
 *
 * @param {string} link
 */
function beginStep(link) {
  const first = currentLink === "";
  currentLink = link;
  pending = null;
  const column = document.querySelector(".left");
  if (column) column.scrollTop = 0;
  if (link && !first && innerWidth <= NARROW) column?.querySelector(".lesson")?.scrollIntoView();
}

/** @param {string} value */
function show(value) {
  if (!value) return;
  /** @type {LessonState} */
  const state = JSON.parse(value);
  if (state.link !== currentLink) beginStep(state.link);
  if ((state.chosen ?? null) !== null) pending = null;
  markPage(state);
  if (!state.link) return;
  showQuestion(state);
  fillNumbers(state.numbers);
}

const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();

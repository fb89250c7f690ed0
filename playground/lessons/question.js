// The question of a lesson, the numbers in its texts, and what the page points at, veils and must not hide meanwhile.
const GROWTH_MS = 1500;  // in which a first part of an outcome becomes the whole
const PATIENCE_MS = 10_000;  // for Gradio to build what a step or an answer brings
const HANDOUT_MS = 200;  // within which Gradio has handed out the values of an answer
const box = /** @type {HTMLElement} */ (element.querySelector(".lesson-question"));
/** @type {string[]} */
let tables = [];  // that the step is about
let currentLink = "";  // of the step on show
/** @type {number | null} */
let pending = null;  // the answer chosen, until the server has confirmed or refused it
let opening = true;  // until the first state is on show: this program starts with the page or with the first lesson

/**
 * @param {string} text
 * @param {number} index
 */
function createAnswer(text, index) {
  const button = createButton(text, () => choose(index));
  button.dataset.answer = String(index);
  return button;
}

/** @param {number} index */
function choose(index) {
  if (box.hasAttribute("data-answered") || pending !== null) return;
  pending = index;
  box.querySelector(`[data-answer="${index}"]`)?.setAttribute("aria-pressed", "true");
  trigger("select", { choose: String(index), link: currentLink });
}

/** Lets the reader choose again after an answer that was refused, such as one whose settings contradict others. */
function endChoice() {
  if (pending === null) return;
  box.querySelector(`[data-answer="${pending}"]`)?.setAttribute("aria-pressed", "false");
  pending = null;
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
  const answers = /** @type {HTMLElement[]} */ ([...box.querySelectorAll("[data-answer]")]);
  const index = answers.findIndex((answer) => answer === event.target);
  if (!step || index < 0) return;
  event.preventDefault();
  answers[(index + step + answers.length) % answers.length].focus();
});

/**
 * Brings the outcome into sight as soon as Gradio has written it, and again while it grows; what is above it moves no
 * more than it must.
 *
 * @param {number} until when it is awaited, in ms
 * @param {number} height that is in sight
 */
function revealOutcome(until = performance.now() + PATIENCE_MS, height = 0) {
  const outcome = /** @type {HTMLElement | null} */ (document.querySelector("#lesson-outcome"));
  const now = outcome?.textContent?.trim() ? outcome.offsetHeight : 0;
  if (now > height) outcome?.scrollIntoView({ block: "nearest" });
  const end = now && !height ? performance.now() + GROWTH_MS : until;
  if (performance.now() < end) requestAnimationFrame(() => revealOutcome(end, now));
}

/** @param {LessonState} state */
function showQuestion({ question, answers, chosen, right, answered }) {
  const key = JSON.stringify([currentLink, answers.length]);
  if (box.dataset.key !== key) {
    box.replaceChildren(...(question ? createQuestion(answers) : []));
    delete box.dataset.drawn;
    markEmpty(!question);
  }
  box.dataset.key = key;  // otherwise the buttons stay, and the focus with them
  if (answered && pending !== null) revealOutcome();
  box.toggleAttribute("data-answered", answered);
  if (!question) return;
  /** @type {Element} */ (box.firstElementChild).textContent = question;
  box.querySelectorAll("[data-answer]").forEach((button, index) => {
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
  return answers.length ? [heading, group] : [heading];
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
function markPage({ link, look = [], veil = [], needs = [], knobs = [], controls = [], tables: named = [], drawing }) {
  document.querySelector(".layout")?.toggleAttribute("data-lesson", link !== "");  // see the head of style/page.css
  const draws = drawing ? [drawing.kind] : [];
  const ids = [...knobs.map((path) => `knob-${path.replace(/[._]/g, "-")}`), ...controls];
  watchNamed(link, link ? ids : []);
  for (const [name, words] of Object.entries({ lesson: [link], look, veil, needs, draws })) {
    if (words.join("")) document.body.dataset[name] = words.join(" ");
    else delete document.body.dataset[name];
  }
  watchTables(link, named);
}

/** Marks what the step is not about in the numbers that it points at; they are built anew with every answer. */
function markTables() {
  const look = (document.body.dataset.look ?? "").split(" ");
  for (const part of ["readout", "more"]) {
    const names = look.includes(part) ? tables : [];
    let title = "status";
    for (const child of document.querySelectorAll(`#part-${part} .readout > *`)) {
      title = titleOfChild(child, title);
      child.toggleAttribute("data-unnamed", names.length > 0 && !names.some((name) => title.startsWith(name)));
    }
  }
}

/**
 * Returns the title that a child of the readout belongs to.
 *
 * @param {Element} child
 * @param {string} before that of the child before it
 */
function titleOfChild(child, before) {
  if (child.matches("h3")) return child.textContent ?? "";
  if (child.matches("details")) return child.querySelector("summary")?.textContent ?? "";
  if (child.matches(".facts")) return "facts";
  return before === "facts" ? "" : before;
}

const tableObserver = new MutationObserver(markTables);

/**
 * @param {string} link
 * @param {string[]} names
 */
function watchTables(link, names) {
  tables = names;
  tableObserver.disconnect();
  for (const node of document.querySelectorAll("#part-readout, #part-more")) {
    if (link) tableObserver.observe(node, { childList: true, subtree: true });
  }
  markTables();
}

/**
 * Begins a step: its text is shown from the start, even if the page has been scrolled, and the keyboard goes on there.
 *
 * @param {string} link
 */
function beginStep(link) {
  const first = currentLink === "";
  currentLink = link;
  pending = null;
  document.body.removeAttribute("data-whole-step");
  if (!link) return focusStep();
  if (opening && document.activeElement === document.body) return;  // the page opened with it
  if (window.scrollY > 0) window.scrollTo({ top: 0 });
  if (first) focusHeading();
}

document.addEventListener("question-answered", () => setTimeout(endChoice, HANDOUT_MS));

// ---- the step

/** @param {string} value */
function show(value) {
  if (!value) return;
  /** @type {LessonState} */
  const state = JSON.parse(value);
  if (state.link !== currentLink) beginStep(state.link);
  opening = false;
  markPage(state);
  if (!state.link) return removeDrawing();  // else its sheet would stay over the picture
  showQuestion(state);
  if ((state.chosen ?? null) !== null) pending = null;
  showDrawing(state);
  fillNumbers(state.numbers);
  document.querySelector("#lesson-outcome")?.setAttribute("aria-live", "polite");
}

const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();

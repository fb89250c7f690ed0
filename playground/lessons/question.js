// The question of a lesson, the numbers in its texts, and what the page must point at, veil and not hide meanwhile.
const box = element.querySelector(".lesson-question");
const NARROW = 900;  // px, below which the page is one column
let at = "";  // the step on show
let waiting = null;  // the answer chosen, while the server has not told yet

function answerButton(text, index) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.answer = index;
  made.textContent = text;
  made.addEventListener("click", () => choose(index));
  return made;
}

function choose(index) {
  if (box.dataset.told || waiting !== null) return;
  waiting = index;
  box.querySelectorAll("button")[index].setAttribute("aria-pressed", "true");
  trigger("select", { choose: String(index) });
}

/** Arrow keys move between the answers; Space and Enter choose, as on all buttons. */
box.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  const answers = [...box.querySelectorAll("button")];
  if (!steps || !answers.includes(event.target)) return;
  event.preventDefault();
  answers[(answers.indexOf(event.target) + steps + answers.length) % answers.length].focus();
});

function ask({ question, answers, chosen, right }) {
  if (box.dataset.asks !== JSON.stringify([at, answers.length])) {
    const heading = document.createElement("p");
    heading.id = "lesson-asks";
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", heading.id);
    group.append(...answers.map(answerButton));
    box.replaceChildren(...(question ? [heading, group] : []));
    box.dataset.asks = JSON.stringify([at, answers.length]);  // the same buttons stay, and with them the focus
  }
  box.toggleAttribute("data-told", right !== null && chosen !== null);
  if (!question) return;
  box.firstChild.textContent = question;
  [...box.querySelectorAll("button")].forEach((each, index) => {
    each.textContent = answers[index];
    each.setAttribute("aria-pressed", index === (chosen ?? waiting));
    each.toggleAttribute("data-right", right === index && chosen !== null);
    if (box.hasAttribute("data-told")) each.setAttribute("aria-disabled", "true");
    else each.removeAttribute("aria-disabled");
  });
}

/** The texts are Gradio's, made when the step or its answer was; later numbers go where their names stand. */
function fill(numbers) {
  for (const each of document.querySelectorAll(".lesson-number")) {
    const text = numbers[each.dataset.number];
    if (text !== undefined && each.textContent !== text) each.textContent = text;
  }
}

function stage({ link, look = [], veil = [], needs = [] }) {
  const lists = { lesson: [link], look, veil, needs };
  document.querySelector(".layout")?.toggleAttribute("data-lesson", link !== "");  // see the head of style/page.css
  for (const [name, words] of Object.entries(lists)) {
    if (words.join("")) document.body.dataset[name] = words.join(" ");
    else delete document.body.dataset[name];
  }
}

/** A new step begins at its beginning, also where the page has been scrolled. */
function begin(link) {
  const first = at === "";
  at = link;
  waiting = null;
  const column = document.querySelector(".left");
  if (column) column.scrollTop = 0;
  if (link && !first && innerWidth <= NARROW) column?.querySelector(".lesson")?.scrollIntoView();
}

const show = live.part(props.part, (value) => {
  if (!value) return;
  const state = JSON.parse(value);
  if (state.link !== at) begin(state.link);
  if ((state.chosen ?? null) !== null) waiting = null;
  stage(state);
  if (!state.link) return;
  ask(state);
  fill(state.numbers);
}, () => props.value);
watch("value", show);
show();

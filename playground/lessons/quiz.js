// The short test before and after the lessons. Results stay in this browser: nothing of it is sent.

/** @type {Quiz} */
const test = JSON.parse(props.value);
const quiz = /** @type {HTMLElement} */ (element.querySelector(".lesson-quiz"));
const KEY = "test";  // in the browser's memory

/**
 * Reads earlier results, which anything may have written.
 *
 * @param {string} text
 * @param {number} count of questions
 * @returns {QuizResult[]} the first and the latest result, the first alone, or none
 */
function readResults(text, count) {
  try {
    const results = JSON.parse(text || "[]");
    const valid = Array.isArray(results) && results.length <= 2 && results.every((each) => isResult(each, count));
    return valid ? results : [];
  } catch {
    return [];
  }
}

/**
 * @param {unknown} value
 * @param {number} count of questions
 */
function isResult(value, count) {
  if (Array.isArray(value)) return value.length === count && value.every((each) => typeof each === "boolean");
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= count;
}

/**
 * Returns the results with a new one: the first stays, so that it can be compared with the latest.
 *
 * @param {QuizResult[]} results
 * @param {QuizResult} now
 */
function addResult(results, now) {
  return results.length ? [results[0], now] : [now];
}

/** @param {QuizResult} result */
const countRight = (result) => (Array.isArray(result) ? result.filter(Boolean).length : result);

/**
 * @param {QuizResult[]} results
 * @param {number} count of questions
 */
function describeResults(results, count) {
  const [before, now] = results.map(countRight);
  if (before === undefined) return "";
  if (now === undefined) return `Before the lessons: ${before} of ${count}. Take the test again after them.`;
  return `Before ${before} of ${count}, now ${now} of ${count}.`;
}

/**
 * @param {QuizQuestion} question
 * @param {number} number
 */
function createQuizQuestion({ question, answers }, number) {
  const [group, legend] = [document.createElement("fieldset"), document.createElement("legend")];
  legend.textContent = `${number + 1}. ${question}`;
  group.append(legend, ...answers.map((answer, index) => {
    const [label, choice] = [document.createElement("label"), document.createElement("input")];
    Object.assign(choice, { type: "radio", name: `quiz-${number}`, value: String(index) });
    label.append(choice, ` ${answer}`);
    return label;
  }));
  return group;
}

const results = () => readResults(memory.recall(KEY), test.questions.length);
const chosen = () => test.questions.map((_, number) => (
  /** @type {HTMLInputElement | null} */ (quiz.querySelector(`[name="quiz-${number}"]:checked`))));

function finish() {
  const answers = chosen();
  const open = answers.filter((each) => each === null).length;
  if (open) {
    outcome.textContent = `${open} of ${test.questions.length} questions are still open.`;
    return;
  }
  const after = addResult(results(), answers.map((each, at) => Number(each?.value) === test.questions[at].right));
  memory.keep(KEY, JSON.stringify(after));
  if (after.length > 1) markAnswers();  // the first time, it would spoil the second
  else for (const each of answers) if (each) each.checked = false;
  showResults(true);
}

function markAnswers() {
  quiz.querySelectorAll("fieldset").forEach((group, number) => {
    group.querySelectorAll("label").forEach((label, index) => {
      label.toggleAttribute("data-right", index === test.questions[number].right);
    });
  });
}

function forget() {
  memory.keep(KEY, "");
  for (const each of chosen()) if (each) each.checked = false;
  for (const label of quiz.querySelectorAll("label")) label.removeAttribute("data-right");
  showResults();
  countButton.focus();  // the other one is gone
}

/** @param {boolean} isAnswered true right after the test: later the right answers would spoil another try */
function showResults(isAnswered = false) {
  const said = describeResults(results(), test.questions.length);
  const groups = groupQuestions(results()[0], results()[1]);
  outcome.textContent = [said, ...groups.map(({ title, numbers }) => `${title}: ${numbers.length}.`)].join(" ");
  review.replaceChildren(...groups.map((group) => createReview(group, test.questions, isAnswered)));
  forgetButton.toggleAttribute("hidden", !said);
  /** @type {Element} */ (quiz.querySelector("summary")).textContent = said ? `${test.title} · ${said}` : test.title;
}

const [about, outcome, actions, review] = ["p", "span", "p", "div"].map((tag) => document.createElement(tag));
const countButton = createButton("Count my answers", finish);
const forgetButton = createButton("Forget my results", forget);
about.textContent = test.about;
outcome.setAttribute("role", "status");
actions.append(countButton, forgetButton, outcome);
quiz.append(about, ...test.questions.map(createQuizQuestion), actions, review);
showResults();

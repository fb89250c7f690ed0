// What the test shows of learning: which questions are right and which were before, why, and what explains them.

// In the order of the review; before is unknown where only its count was kept.
const GROUPS = [
  { title: "Wrong before, correct now", before: false, now: true },
  { title: "Wrong before and now", before: false, now: false },
  { title: "Correct before, wrong now", before: true, now: false },
  { title: "Wrong now", before: undefined, now: false },
  { title: "Correct before and now", before: true, now: true },
  { title: "Correct now", before: undefined, now: true },
];

/**
 * Groups the questions by what became of them; nothing can be told of a test of which only the count was kept.
 *
 * @param {QuizResult} before
 * @param {QuizResult} now
 * @returns {{title: string, isRight: boolean, numbers: number[]}[]} with the numbers of the questions, from 0
 */
function groupQuestions(before, now) {
  if (!Array.isArray(now)) return [];
  return GROUPS.map((group) => {
    const isIn = (/** @type {number} */ at) => (
      now[at] === group.now && (Array.isArray(before) ? before[at] : undefined) === group.before);
    return { title: group.title, isRight: group.now, numbers: [...now.keys()].filter(isIn) };
  }).filter(({ numbers }) => numbers.length);
}

/**
 * Creates the list of a group: each question with its right answer and why, and what explains it to who was wrong.
 *
 * @param {ReturnType<typeof groupQuestions>[number]} group
 * @param {QuizQuestion[]} questions
 * @param {boolean} isAnswered false to leave the right answers out, which would spoil another try
 */
function createReview({ title, isRight, numbers }, questions, isAnswered) {
  const [section, heading, list] = ["section", "h3", "ul"].map((tag) => document.createElement(tag));
  heading.textContent = `${title}: ${numbers.length}`;
  list.append(...numbers.map((number) => createReviewed(questions[number], number, isRight, isAnswered)));
  section.append(heading, list);
  return section;
}

/**
 * @param {QuizQuestion} question
 * @param {number} number
 * @param {boolean} isRight
 * @param {boolean} isAnswered
 */
function createReviewed({ question, answers, right, why, lesson, choose }, number, isRight, isAnswered) {
  const [item, answer] = [document.createElement("li"), document.createElement("strong")];
  answer.textContent = answers[right];
  item.append(`${number + 1}. ${question} `, ...(isAnswered ? [answer, ` – ${why} `] : []));
  const course = new URLSearchParams(location.search).get("course")?.split(",");  // in which a class stays
  if (isRight || (course && !course.includes(choose.split(" ").at(-1) ?? ""))) return item;
  const button = createButton(lesson, () => trigger("select", { choose }));
  button.dataset.choose = choose;
  item.append(button);
  return item;
}

// Where the picture comes from: two lists, a number and arrows. The elements stay while the picture changes, so that
// the keyboard focus stays. Names of files and data sets only ever go through textContent.
const bar = /** @type {HTMLElement} */ (element.querySelector(".source-bar"));

/**
 * Adds an element to the bar.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} name of its class
 * @param {string} [label] for screen readers
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
function add(tag, name, label = "", text = "") {
  const node = document.createElement(tag);
  node.className = `source-${name}`;
  if (label) node.setAttribute("aria-label", label);
  if (tag === "button") node.setAttribute("type", "button");
  node.textContent = text;
  bar.append(node);
  return node;
}

const sourceList = add("select", "of", "Source of the pictures");
const splitList = add("select", "split", "Split");
const backButton = add("button", "back", "Previous picture", "‹");
const numberField = add("input", "number", "Number of the picture");
const total = add("span", "all");
const nextButton = add("button", "onward", "Next picture", "›");
const leaveButton = add("button", "whole", "Leave these pictures", "×");
const title = add("span", "name");
numberField.type = "number";
numberField.min = "1";

let currentIndex = 0;

const choose = (index = 0) => trigger("select", { source: sourceList.value, split: splitList.value, index, turn: 0 });
/** @param {number} by 1 for the next picture, -1 for the previous one */
const turn = (by) => trigger("select", { source: null, split: null, index: null, turn: by });

sourceList.addEventListener("change", () => choose());
splitList.addEventListener("change", () => choose());
numberField.addEventListener("change", () => choose(Math.round(Number(numberField.value)) - 1));
backButton.addEventListener("click", () => turn(-1));
nextButton.addEventListener("click", () => turn(1));
leaveButton.addEventListener("click", () => choose(currentIndex));

/**
 * Fills a list, whose options are only replaced if they have changed.
 *
 * @param {HTMLSelectElement} list
 * @param {[string, string][]} options values and texts
 * @param {string} chosen value
 */
function fillList(list, options, chosen) {
  const wanted = JSON.stringify(options);
  if (list.dataset.options !== wanted) {
    list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    list.dataset.options = wanted;
  }
  list.value = chosen;
}

/**
 * Returns the position among the pictures that the arrows go through, from 1 or 0 for none of them, and their number.
 *
 * @param {SourceBarState} state
 */
function positionOf({ index, count, choice }) {
  if (!choice) return { position: index + 1, count };
  return { position: choice.at === null ? 0 : choice.at + 1, count: choice.count };
}

/**
 * Returns the text after the arrows: how many pictures there are, of a choice also which one is shown.
 *
 * @param {SourceBarState} state
 */
function totalText(state) {
  const { position, count } = positionOf(state);
  return state.choice ? `${position || "–"} / ${count}` : `/ ${count.toLocaleString("en")}`;
}

/**
 * Returns the title of the picture, or of the one that the film of a run shows instead; a single picture, such as an
 * uploaded one, has none.
 *
 * @param {SourceBarState} state
 */
function titleText({ source, name, choice, film }) {
  if (film) return film;
  if (choice) return `${choice.label} · ${name}`;
  return source === "" || source === "upload" ? "" : name;
}

/** @param {string} value */
function show(value) {
  if (!value) return;
  /** @type {SourceBarState} */
  const state = JSON.parse(value);
  currentIndex = state.index;
  fillList(sourceList, state.sources, state.source);
  fillList(splitList, state.splits.map((split) => [split, split]), state.split);
  // A run's film shows a picture of its own, which the number and the arrows do not choose.
  const single = Boolean(state.film) || ((state.source === "" || state.source === "upload") && !state.choice);
  document.body.dataset.picture = state.scene ? "scene" : "other"; // whether the scene's knobs act on it
  splitList.hidden = state.splits.length < 2 || Boolean(state.film) || Boolean(state.choice);
  for (const node of [backButton, total, nextButton]) node.hidden = single;
  numberField.hidden = single || Boolean(state.choice);
  leaveButton.hidden = !state.choice || Boolean(state.film);
  numberField.max = String(state.count);
  numberField.value = String(state.index + 1);
  const { position, count } = positionOf(state);
  backButton.disabled = position <= 1;
  nextButton.disabled = position >= count;
  total.textContent = totalText(state);
  title.textContent = title.title = titleText(state);
}

const showValue = live.part(props.part, show, () => props.value);
watch("value", showValue);
showValue();

// Where the picture comes from: two lists, a number and arrows. They stay the same elements while one goes on, so that
// the keyboard's focus stays, too. Names of files and data sets only ever go through textContent.
const bar = element.querySelector(".source-bar");

function made(tag, name, label, text = "") {
  const node = document.createElement(tag);
  node.className = `source-${name}`;
  if (label) node.setAttribute("aria-label", label);
  if (tag === "button") node.type = "button";
  node.textContent = text;
  bar.append(node);
  return node;
}

const source = made("select", "of", "Pictures from");
const split = made("select", "split", "Split");
const back = made("button", "back", "Previous picture", "‹");
const number = made("input", "number", "Number of the picture");
const all = made("span", "all");
const onward = made("button", "onward", "Next picture", "›");
const whole = made("button", "whole", "Leave these pictures", "×");
const name = made("span", "name");
number.type = "number";
number.min = 1;

let state = { index: 0, count: 0, choice: null };

const choose = (index = 0) => trigger("select", { source: source.value, split: split.value, index, turn: 0 });
const turn = (by) => trigger("select", { source: null, split: null, index: null, turn: by });

source.addEventListener("change", () => choose());
split.addEventListener("change", () => choose());
number.addEventListener("change", () => choose(Math.round(Number(number.value)) - 1));
back.addEventListener("click", () => turn(-1));
onward.addEventListener("click", () => turn(1));
whole.addEventListener("click", () => choose(state.index));

function fill(list, options, chosen) {
  const wanted = JSON.stringify(options);
  if (list.dataset.options !== wanted) {
    list.replaceChildren(...options.map(([value, text]) => Object.assign(document.createElement("option"), { value, text })));
    list.dataset.options = wanted;
  }
  list.value = chosen;
}

function show(value) {
  if (!value) return;
  state = JSON.parse(value);
  const { choice } = state;
  fill(source, state.sources, state.source);
  fill(split, state.splits.map((each) => [each, each]), state.split);
  split.hidden = state.splits.length < 2 || choice !== null;
  const one = state.source === "" && choice === null;
  for (const each of [back, number, all, onward]) each.hidden = one;
  number.hidden ||= choice !== null;
  number.max = state.count;
  number.value = state.index + 1;
  const at = choice ? (choice.at === null ? 0 : choice.at + 1) : state.index + 1;
  const count = choice ? choice.count : state.count;
  all.textContent = choice ? `${at || "–"} / ${count}` : `/ ${count.toLocaleString("en")}`;
  back.disabled = at <= 1;
  onward.disabled = at >= count;
  whole.hidden = choice === null;
  const said = one ? "" : choice ? `${choice.label} · ${state.name}` : state.name;
  name.textContent = name.title = said;
}

const showOwn = live.part(props.part, show, () => props.value);
watch("value", showOwn);
showOwn();

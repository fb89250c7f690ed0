// The classes above the picture: a button for each, the field for a new one, and the menu that changes one. Names come
// from visitors and only ever go through textContent.

const [classBar, chips, naming, menu] = ["classes", "chips", "naming", "menu"].map(find);
const [nameInput, renameInput, colourInput] =
  /** @type {HTMLInputElement[]} */ (["name", "rename", "colour"].map(find));
const intoSelect = /** @type {HTMLSelectElement} */ (find("into"));
let changing = -1;  // the class whose menu is open, -1 for none

/** Shows the classes: a selection where they are fixed, buttons where the visitor makes them up. */
function showClasses() {
  const names = view.free_classes ? [] : view.classes;
  const key = JSON.stringify(names);
  if (classSelect.dataset.names !== key) {
    classSelect.replaceChildren(...names.map((name, index) => new Option(name, String(index))));
  }
  classSelect.dataset.names = key;
  classBar.hidden = !editing || !view.free_classes;
  classSelect.hidden = !editing || view.free_classes;
  if (!classBar.hidden) showChips();
  else if (changing >= 0) closeMenu();
}

function showChips() {
  const key = JSON.stringify(view.classes);
  if (chips.dataset.names !== key) chips.replaceChildren(...view.classes.map(makeChip));
  chips.dataset.names = key;  // otherwise the buttons stay, and the focus with them
  const labels = editor.boxes().map(({ label }) => label);
  view.classes.forEach((name, index) => updateChip(chips.children[index], name, index, labels));
  if (changing >= view.classes.length) closeMenu();
}

/**
 * @param {string} name
 * @param {number} index
 */
function makeChip(name, index) {
  const chip = createNode("span", "pic-chip", "");
  const choice = makeButton("pic-pick", ["pic-swatch", "pic-label", "pic-count", "pic-key"]);
  const more = makeButton("pic-more", []);
  choice.addEventListener("click", (event) => {
    pickClass(index);
    if (event.detail) top.focus();  // after a click the keys act on the picture again
  });
  choice.children[1].setAttribute("dir", "auto");
  more.textContent = "⋯";
  more.setAttribute("aria-label", `Change ${name}`);
  more.addEventListener("click", () => (changing === index ? closeMenu() : openMenu(index)));
  chip.append(choice, more);
  return chip;
}

/**
 * @param {string} name of its class
 * @param {string[]} parts classes of what is inside
 */
function makeButton(name, parts) {
  const button = /** @type {HTMLButtonElement} */ (createNode("button", `pic-button ${name}`, ""));
  button.type = "button";
  button.append(...parts.map((part) => createNode("span", part, "")));
  return button;
}

/**
 * @param {Element} chip
 * @param {string} name
 * @param {number} index
 * @param {number[]} labels of all boxes
 */
function updateChip(chip, name, index, labels) {
  const [button, more] = chip.children;
  const [swatch, label, count, key] = /** @type {HTMLCollectionOf<HTMLElement>} */ (button.children);
  const number = labels.filter((each) => each === index).length;
  swatch.style.setProperty("--colour", view.class_colours[index] ?? "");
  label.textContent = name;
  count.textContent = String(number);
  key.textContent = keyOfClass(index);
  const digit = keyOfClass(index) && `, key ${keyOfClass(index)}`;
  button.setAttribute("aria-label", `${name}, ${number} on this picture${digit}`);
  button.setAttribute("aria-pressed", String(editor.chosen() === index));
  more.setAttribute("aria-expanded", String(changing === index));
}

/**
 * Chooses a class for new boxes, the selected one and those that wait for their class.
 *
 * @param {number} index
 */
function pickClass(index) {
  if (!naming.hidden) closeNaming();
  editor.relabel(index);
}

// ---- a new class

/** Asks for the class of a box that has just been drawn; the digits act on the picture if there are classes. */
function askClass() {
  if (!view.free_classes) return;
  openNaming();
  message.textContent = view.classes.length
    ? "Which class? Press its digit or its button, or type a new name."
    : "Type the name of its class.";
  if (view.classes.length) top.focus();
  else nameInput.focus();
}

/** Asks for the name of a new class. */
function askName() {
  openNaming();
  nameInput.focus();
}

function openNaming() {
  naming.hidden = false;
  const offered = view.class_suggestions.filter((name) => findName(name, view.classes) < 0);
  find("names").replaceChildren(...offered.map((name) => new Option(name, name)));
}

function closeNaming() {
  naming.hidden = true;
  nameInput.value = message.textContent = "";
}

/** Takes the typed name: a new class, or the present one of that name. */
function takeName() {
  const name = tidyName(nameInput.value);
  const present = findName(name, view.classes);
  const problem = present < 0 ? findNameProblem(name, view.classes, view) : "";
  if (problem) {
    message.textContent = problem;
    nameInput.focus();
    return;
  }
  closeNaming();
  editor.relabel(present < 0 ? editor.addClass(name) : present);
  showClasses();
  top.focus();
}

function giveUpUnnamed() {
  if (editor.dropUnnamed()) say("The new box is gone: it had no class.");
}

/** Closes the field; boxes that wait for their class are given up. */
function cancelNaming() {
  closeNaming();
  giveUpUnnamed();
  top.focus();
}

// ---- changing a class

/** @param {number} index */
function openMenu(index) {
  changing = index;
  menu.hidden = false;
  menu.setAttribute("aria-label", `Class ${view.classes[index]}`);
  [renameInput.value, colourInput.value] = [view.classes[index], view.class_colours[index] ?? "#000000"];
  const others = view.classes.map((name, each) => new Option(`Merge into ${name}`, String(each)));
  intoSelect.replaceChildren(...others.filter((_, each) => each !== index));
  find("merging").hidden = others.length < 2;
  showChips();
  renameInput.focus();
}

/** Closes the menu; a focus in it goes back to the button that opened it, or to the picture if that is gone. */
function closeMenu() {
  const opener = /** @type {HTMLElement | undefined} */ (chips.children[changing]?.children[1]);
  const focused = menu.contains(document.activeElement);
  menu.hidden = true;
  changing = -1;
  if (!classBar.hidden) showChips();
  if (focused) (opener?.isConnected ? opener : top).focus();
}

/** Renames the class of the menu. */
function renameClass() {
  const name = tidyName(renameInput.value);
  const others = view.classes.filter((_, index) => index !== changing);
  const problem = findNameProblem(name, others, view);
  message.textContent = problem;
  if (problem) return;
  if (name !== view.classes[changing]) changeClass("rename", name, `The class is now ${name}.`);
  closeMenu();
}

/** Merges the class of the menu into the chosen one. */
function mergeClass() {
  const into = Number(intoSelect.value);
  changeClass("merge", into, `${view.classes[changing]} merged into ${view.classes[into]}.`);
  closeMenu();
}

/**
 * @param {ClassChange["action"]} action
 * @param {string | number} value
 * @param {string} sentence said once it is done
 */
function changeClass(action, value, sentence) {
  editor.alterClass({ action, index: changing, value });
  showClasses();
  schedule(true);
  say(sentence);
}

/** @type {(form: HTMLElement, take: () => void, cancel: () => void) => void} */
function connectForm(form, take, cancel) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") cancel();
  });
}

function connectClassBar() {
  find("names").id = `pic-names-${props.part}`;
  nameInput.setAttribute("list", find("names").id);
  connectForm(naming, takeName, cancelNaming);
  connectForm(menu, renameClass, closeMenu);
  find("new").addEventListener("click", askName);
  find("cancel").addEventListener("click", cancelNaming);
  find("merge").addEventListener("click", mergeClass);
  find("close").addEventListener("click", closeMenu);
  colourInput.addEventListener("change", () => {
    changeClass("recolour", colourInput.value, `${view.classes[changing]} has another colour.`);
  });
}

// The names and colours of classes. Pure functions; `playground/support/names.py` has the last word on names.

/** @param {string} text as typed */
function tidyName(text) {
  return text.normalize("NFC").trim().replace(/\s+/g, " ");
}

/**
 * Returns the form in which two names are compared.
 *
 * @param {string} name
 */
function foldName(name) {
  return name.replace(/\u200c|\u200d/g, "").normalize("NFD").toUpperCase().toLowerCase();
}

/**
 * Returns the index of the class of a name, -1 if there is none.
 *
 * @param {string} name
 * @param {string[]} names
 */
function findName(name, names) {
  const folded = foldName(tidyName(name));
  return names.findIndex((each) => foldName(each) === folded);
}

/**
 * Returns what is wrong with the name of a new class, "" for nothing.
 *
 * @param {string} name tidy
 * @param {string[]} names of the other classes
 * @param {Pick<View, "max_classes" | "max_name">} limits
 */
function findNameProblem(name, names, { max_classes, max_name }) {
  if (!name) return "Type a name for the class.";
  const length = [...name].length;
  if (length > max_name) return `The name of a class can have at most ${max_name} characters, not ${length}.`;
  if (/\p{Cc}/u.test(name)) return "The name of a class cannot contain control characters.";
  const same = findName(name, names);
  if (same >= 0) return `There is already a class “${names[same]}”: choose another name, or merge the two.`;
  return names.length >= max_classes ? `There can be at most ${max_classes} classes.` : "";
}

/**
 * Returns the colour of a new class: that of the palette which the fewest classes have, the first of equals.
 *
 * @param {string[]} used
 * @param {string[]} palette
 */
function nextColour(used, palette) {
  /** @type {(colour: string) => number} */
  const count = (colour) => used.filter((each) => each.toLowerCase() === colour).length;
  const fewest = Math.min(...palette.map(count));
  return palette.find((colour) => count(colour) === fewest) ?? "#e69f00";
}

/**
 * Returns the new index of each class once one is merged into another.
 *
 * @param {number} count of classes
 * @param {number} from
 * @param {number} into
 */
function mergeIndices(count, from, into) {
  /** @type {(index: number) => number} */
  const shifted = (index) => (index > from ? index - 1 : index);
  return Array.from({ length: count }, (_, index) => shifted(index === from ? into : index));
}

/**
 * Returns the class that a digit chooses, counted from 0: the tenth for the key 0; undefined for other keys.
 *
 * @param {string} key
 */
function classOfKey(key) {
  return /^\d$/.test(key) ? (Number(key) + 9) % 10 : undefined;
}

/**
 * Returns the digit that chooses a class, "" beyond the tenth.
 *
 * @param {number} index
 */
function keyOfClass(index) {
  return index < 10 ? String((index + 1) % 10) : "";
}

// Rows of tables point at boxes of the picture, and the selected box marks its row. A box is named by its layer and its
// index there, such as "truth 3", or by its corners where no layer shows it: "at 10 20 50 80".

/** @type {Hit | null} */
let pointed = null;  // the box that a row points at

/**
 * Returns the box of a name, null if the view has none.
 *
 * @param {string} name
 * @param {Layer[]} layers
 * @returns {Hit | null}
 */
function findNamed(name, layers) {
  const [key, ...numbers] = name.split(" ");
  if (key === "at") {
    const plain = { key, label: "", visible: true, count: 1, dashed: false, width: 2, values: null, captions: [] };
    const boxes = Float32Array.from(numbers, Number);
    return { layer: { ...plain, colour: "#E69F00", boxes, links: null, labels: null }, index: 0 };
  }
  const [layer, index] = [layers.find((each) => each.key === key), Number(numbers[0])];
  return layer && 4 * index < layer.boxes.length ? { layer, index } : null;
}

/**
 * Returns the name of the box in a link to a selection, "" for none.
 *
 * @param {string} search of the address
 */
function selectedIn(search) {
  const [, , layer, index] = (new URLSearchParams(search).get("pick") ?? "").split(",");
  return layer && index ? `${layer} ${index}` : "";
}

/** @param {string} name of the selected box, "" for none */
function tellSelected(name) {
  if (props.part !== "canvas") return;
  document.body.dataset.selected = name;
  document.dispatchEvent(new CustomEvent("pic-selected"));
}

function clearPick() {
  tellSelected("");
  tell("select", { clear: true });
}

/** @param {CustomEvent<string>} event */
function pointAt({ detail: name }) {
  pointed = name ? findNamed(name, view.layers) : null;
  schedule(false);
}

/**
 * Selects a box as a click into it would.
 *
 * @param {CustomEvent<string>} event
 */
function chooseNamed({ detail: name }) {
  const hit = findNamed(name, view.layers);
  if (!hit) return;
  const { layer, index } = hit;
  const [x1, y1, x2, y2] = layer.boxes.subarray(4 * index, 4 * index + 4);
  const point = { x: clamp((x1 + x2) / 2, 0, view.width), y: clamp((y1 + y2) / 2, 0, view.height) };
  const inLayer = view.layers.includes(layer);
  tellSelected(name);
  tell("select", { ...point, layer: inLayer ? layer.key : "", index: inLayer ? index : -1 });
}

if (props.part === "canvas") {  // rows are about the present picture, not the pinned one
  document.addEventListener("pic-point", pointAt);
  document.addEventListener("pic-choose", chooseNamed);
  tellSelected(selectedIn(location.search));
}

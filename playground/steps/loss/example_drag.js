// The line that marks one p_t in the loss curves can be dragged in the figure; the slider beside it does the same by
// keyboard.
const MARK = "example";  // name of the line, `EXAMPLE` in curves.py
/** @type {PlotElement | null} */
let dragged = null;  // the figure under the pointer

/**
 * Returns the figure with the line if the pointer is inside its axes, else null.
 *
 * @param {EventTarget | null} node
 */
function findFigure(node) {
  if (!(node instanceof Element) || !node.closest(".nsewdrag")) return null;
  const plot = /** @type {PlotElement | null} */ (node.closest(".plot"));
  return plot?.layout?.shapes?.some((shape) => shape.name === MARK) ? plot : null;
}

/**
 * Moves the slider, and with it the line, to the pointer.
 *
 * @param {PlotElement} plot
 * @param {number} clientX
 */
function moveMark(plot, clientX) {
  const { xaxis } = plot._fullLayout;
  const slider = /** @type {HTMLInputElement} */ (document.querySelector("#example input[type=range]"));
  const value = xaxis.p2d(clientX - plot.getBoundingClientRect().left - xaxis._offset);
  setSlider(slider, Math.min(Number(slider.max), Math.max(Number(slider.min), value)));
}

/**
 * Sets a slider's value as if the visitor had moved it: the setter of the element's class is not Gradio's own.
 *
 * @param {HTMLInputElement} slider
 * @param {number} value
 */
function setSlider(slider, value) {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(slider, String(value));
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("pointerdown", (event) => {
  dragged = findFigure(event.target);
  if (dragged) moveMark(dragged, event.clientX);
}, true);
document.addEventListener("pointermove", (event) => { if (dragged) moveMark(dragged, event.clientX); }, true);
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => { dragged = null; }, true);

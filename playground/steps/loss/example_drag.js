// The line that marks one p_t in the loss curves is dragged in the figure; the slider beside it does the same by keyboard.
const NAME = "example";  // of the line, see `loss_curves.EXAMPLE`
let dragged = null;  // the figure under the pointer

function marked(target) {
  const plot = target.closest?.(".plot");
  return plot?.layout?.shapes?.some((shape) => shape.name === NAME) && target.closest(".nsewdrag") ? plot : null;
}

function move({ clientX }) {
  const { xaxis } = dragged._fullLayout;
  const slider = document.querySelector("#example input[type=range]");
  const place = xaxis.p2d(clientX - dragged.getBoundingClientRect().left - xaxis._offset);
  const value = String(Math.min(slider.max, Math.max(slider.min, place)));
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("pointerdown", (event) => {
  dragged = marked(event.target);
  if (dragged) move(event);
}, true);
document.addEventListener("pointermove", (event) => { if (dragged) move(event); }, true);
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => { dragged = null; }, true);

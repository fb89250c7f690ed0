// What is under the pointer: the tooltip, and the buttons of a suggestion.

const offer = find("offer");
const [yesButton, noButton] = /** @type {HTMLButtonElement[]} */ (["yes", "no"].map(find));

/** @param {Point | null} at CSS pixels of the canvas; null once the pointer has left */
function hover(at) {
  const point = at && toPicture(at, camera);
  const next = point && boxAt(view.layers.filter(isVisible), point, 2 / camera.scale);
  if (next?.layer !== hovered?.layer || next?.index !== hovered?.index) schedule(false);
  [pointerAt, hovered] = [at, next];
  const heat = view.heat && isVisible(view.heat) ? view.heat : null;
  const value = point && heat && heatAt(heat, point);
  tip.hidden = !hovered && value === null;
  if (at && hovered) showTip(boxLines(hovered), at);
  else if (at && heat && value !== null) showTip([heat.label, formatNumber(value, 3)], at);
  showOffer();
}

/** @param {Hit} hit */
function boxLines({ layer, index }) {
  return [layer.label, layer.captions[index] ?? "", layer.values ? layer.values[index].toFixed(3) : ""];
}

/**
 * @param {string[]} lines
 * @param {Point} at
 */
function showTip(lines, at) {
  tip.replaceChildren(...lines.filter(Boolean).map((line) => createNode("div", "", line)));
  tip.style.left = `${tipOffset(at.x, tip.offsetWidth, size.width)}px`;
  tip.style.top = `${tipOffset(at.y, tip.offsetHeight, size.height)}px`;
}

/** Shows the buttons of the suggestion that is selected or, without one, under the pointer. */
function showOffer() {
  const under = hovered?.layer.key === SUGGESTIONS ? hovered.index : -1;
  const index = editor.offer() >= 0 ? editor.offer() : under;
  const suggestion = editing && !editor.isBusy() ? editor.suggestions()[index] : undefined;
  offer.hidden = !suggestion;
  if (!suggestion) return;
  tip.hidden = true;  // the tag says the same
  const name = describeSuggestion(suggestion, editor.names());
  offer.dataset.index = String(index);
  yesButton.setAttribute("aria-label", `Accept ${name}`);
  noButton.setAttribute("aria-label", `Reject ${name}`);
  const at = offerPosition(suggestion, camera, { width: offer.offsetWidth, height: offer.offsetHeight }, size);
  [offer.style.left, offer.style.top] = [`${at.x}px`, `${at.y}px`];
}

/** @param {(index: number) => void} act on the suggestion whose buttons are shown */
function takeOffer(act) {
  act(Number(offer.dataset.index));
  top.focus();
}

// Boxes that the detector suggests: dashed, with their score, until they are accepted or rejected. Pure functions.

const SUGGESTIONS = "suggestions";  // key of the layer

/**
 * Returns the suggestions of a view that are neither rejected nor drawn already.
 *
 * @param {Layer | undefined} layer
 * @param {Corners[]} gone
 * @returns {Suggestion[]}
 */
function readSuggestions(layer, gone) {
  if (!layer) return [];
  const found = readBoxes(layer).map((box, index) => ({ ...box, score: layer.values?.[index] ?? 0 }));
  return found.filter((box) => !gone.some((other) => isSameBox(box, other)));
}

/**
 * Writes suggestions into their layer.
 *
 * @param {Suggestion[]} suggestions
 * @param {Layer} layer
 * @param {string[]} names
 * @param {string[]} colours
 */
function writeSuggestions(suggestions, layer, names, colours) {
  writeBoxes(suggestions, layer, names, colours);
  layer.dashed = true;
  layer.values = new Float32Array(suggestions.map(({ score }) => score));
  layer.captions = suggestions.map((box) => describeSuggestion(box, names));
}

/**
 * @param {Suggestion} suggestion
 * @param {string[]} names
 */
function describeSuggestion({ label, score }, names) {
  return `${names[label] ?? ""} ${score.toFixed(2)}`.trim();
}

/**
 * Returns where the buttons of a suggestion begin, CSS pixels of the canvas: at its upper right corner, so that the
 * pointer reaches them without leaving it, and inside the canvas.
 *
 * @param {Corners} box
 * @param {Camera} camera
 * @param {Size} buttons
 * @param {Size} canvas
 * @returns {Point}
 */
function offerPosition(box, { scale, x, y }, buttons, canvas) {
  const [right, edge] = [x + scale * box.x2, y + scale * box.y1];
  const room = Math.min(scale * (box.y2 - box.y1), scale * (box.x2 - box.x1)) >= 2.5 * buttons.height;
  const upper = room ? edge : edge - buttons.height + 4;  // over a small box they would hide it
  return {
    x: clamp(right - (room ? buttons.width : 4), 0, Math.max(canvas.width - buttons.width, 0)),
    y: clamp(upper, 0, Math.max(canvas.height - buttons.height, 0)),
  };
}

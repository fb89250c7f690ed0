// What is painted over the picture while the visitor draws: handles, a selected suggestion, and the cross of lines.

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Corners} box the selected one
 * @param {Camera} camera
 */
function paintHandles(ctx, box, { ratio, scale, x, y }) {
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.lineWidth = 1.5;
  for (const handle of HANDLES) {
    const position = handlePosition(box, handle);
    ctx.fillStyle = "#fff";
    ctx.strokeStyle = "#000";
    ctx.beginPath();
    ctx.rect(x + scale * position.x - 4, y + scale * position.y - 4, 8, 8);
    ctx.fill();
    ctx.stroke();
  }
}

/**
 * Paints a horizontal and a vertical line through a point, white within black, so that they show on any picture.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Point} at CSS pixels of the canvas
 * @param {Camera} camera
 */
function paintCross(ctx, at, { ratio }) {
  const { width, height } = ctx.canvas;
  const [x, y] = [Math.round(ratio * at.x) + 0.5, Math.round(ratio * at.y) + 0.5];
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  for (const [colour, thickness] of /** @type {[string, number][]} */ ([["rgb(0 0 0 / 45%)", 3], ["#fff", 1]])) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = thickness * Math.max(1, Math.round(ratio));
    ctx.beginPath();
    addLine(ctx, x, 0, x, height);
    addLine(ctx, 0, y, width, y);
    ctx.stroke();
  }
}

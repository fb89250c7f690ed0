// Paints the server's answers part by part: the picture at once, everything else stage by stage, one per frame, so that
// a slow part never delays the picture. What can be painted quickly shares the picture's frame.

/**
 * Creates the painter.
 *
 * @param {Map<string, LivePart>} parts by name
 * @param {string[][]} stages names of parts in the order of painting
 */
function createPainter(parts, [firstStage, ...laterStages]) {
  /** @type {Record<string, unknown>} */
  let newest = {};  // values by part
  /** @type {string[][]} */
  let pending = [];  // stages still to be painted
  let frame = 0;  // the frame after which the next stage is painted, 0 for none
  let frameTimer = 0;

  /**
   * Paints new values; null leaves a part unchanged.
   *
   * @param {Record<string, unknown>} values by part
   */
  function paint(values) {
    for (const [name, value] of Object.entries(values)) if (value !== null) newest[name] = value;
    pending = [...new Set([...pending, ...laterStages])];  // the stage that has waited longest comes first
    const painted = paintStage(firstStage);
    if (painted) paintStage(laterStages.flat().filter(isQuick));
    if (frame) return;  // answers may come faster than frames: what has waited for one is painted after it
    if (painted) paintAfterFrame();
    else paintNext();
  }

  /**
   * True if painting the new value of a part delays the picture by hardly anything.
   *
   * @param {string} name
   */
  const isQuick = (name) => isNew(name) && Boolean(parts.get(name)?.isQuick?.(String(newest[name])));

  /**
   * True if a part is on the page and has a value that is not painted yet.
   *
   * @param {string} name
   */
  const isNew = (name) => parts.has(name) && name in newest && newest[name] !== parts.get(name)?.painted();

  /** Paints the next stage with new values; a stage without any needs no frame. */
  function paintNext() {
    frame = 0;
    let painted = false;
    while (pending.length && !painted) {
      const [stage, ...rest] = pending;
      pending = rest;
      painted = paintStage(stage);
    }
    if (pending.length) paintAfterFrame();
  }

  function paintAfterFrame() {
    frame = requestAnimationFrame(() => { frameTimer = setTimeout(paintNext); });
  }

  /**
   * Paints the parts of a stage that have new values and are on the page; false if there are none.
   *
   * @param {string[]} names
   */
  function paintStage(names) {
    let painted = false;
    for (const name of names) {
      if (!isNew(name)) continue;
      parts.get(name)?.paint(String(newest[name]));
      painted = true;
    }
    return painted;
  }

  function cancelFrame() {
    cancelAnimationFrame(frame);
    clearTimeout(frameTimer);
    frame = 0;
  }

  /** Discards everything that is not yet painted. */
  function clear() {
    cancelFrame();
    [newest, pending] = [{}, []];
  }

  return { paint, clear };
}

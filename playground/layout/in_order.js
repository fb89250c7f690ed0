// Events of a component, one at a time: of two in progress, the answer to the earlier one could come last and stay.

/**
 * Creates the line in which the events of a component wait.
 *
 * @param {string} answered name of the document's event that tells that the last one is over, see `events/common.py`
 * @param {(earlier: object, later: object) => object} [merge] returns what replaces two that wait under one name;
 *   by default each keeps its place
 */
function createLine(answered, merge) {
  /** @type {[string, object][]} */
  const waiting = [];
  let isAsking = false;

  function askNext() {
    const next = waiting.shift();
    isAsking = next !== undefined;
    if (next) trigger(...next);
  }

  /**
   * Fires an event, at once or when those before it have been answered.
   *
   * @param {string} name
   * @param {object} data
   */
  function ask(name, data) {
    const last = waiting.at(-1);
    if (merge && last?.[0] === name) last[1] = merge(last[1], data);
    else waiting.push([name, data]);
    if (!isAsking) askNext();
  }

  document.addEventListener(answered, askNext);
  return { ask, isWaiting: () => waiting.length > 0 };
}

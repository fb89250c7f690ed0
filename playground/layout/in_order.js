// The strip's events, one at a time: of two in progress, the answer to the earlier one could come last and stay.

/** Creates the line in which the events wait. */
function createLine() {
  /** @type {[string, Record<string, unknown>][]} */
  const waiting = [];
  let asked = "";  // name of the event in progress, "" for none

  function askNext() {
    const next = waiting.shift();
    asked = next ? next[0] : "";
    if (next) trigger(...next);
  }

  /**
   * Fires an event, at once or when those before it are over. Of two that wait one after the other under one name, the
   * earlier one only fills in what is null in the later one.
   *
   * @param {string} name
   * @param {Record<string, unknown>} data
   */
  function ask(name, data) {
    const last = waiting.at(-1);
    if (last?.[0] === name) last[1] = fillIn(data, last[1]);
    else waiting.push([name, data]);
    if (!asked) askNext();
  }

  /** @param {string} name of an event: true if it is in progress or waits */
  const has = (name) => asked === name || waiting.some(([each]) => each === name);

  document.addEventListener("strip-answered", askNext);
  return { ask, has, isWaiting: () => waiting.length > 0 };
}

/**
 * @param {Record<string, unknown>} data
 * @param {Record<string, unknown>} others in place of null
 */
function fillIn(data, others) {
  return { ...others, ...Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null)) };
}

// Undo and redo, and which answers of Python's are late. Nothing here knows what a state holds.

const MAX_UNDO = 100;

/**
 * Creates a history of at most `MAX_UNDO` states, the oldest of which is forgotten first.
 *
 * @template State
 */
function createHistory() {
  /** @type {State[]} */
  let past = [];
  /** @type {State[]} */
  let future = [];

  /**
   * Notes a state that has just been left by a change; what was undone cannot be redone any more.
   *
   * @param {State} state
   */
  function push(state) {
    past = [...past, state].slice(-MAX_UNDO);
    future = [];
  }

  /**
   * Returns the state before the present one, undefined if there is none.
   *
   * @param {State} present
   */
  function undo(present) {
    const state = past.pop();
    if (state !== undefined) future.push(present);
    return state;
  }

  /**
   * Returns the state that was undone last, undefined if there is none.
   *
   * @param {State} present
   */
  function redo(present) {
    const state = future.pop();
    if (state !== undefined) past.push(present);
    return state;
  }

  /** @param {(state: State) => State} change */
  function map(change) {
    [past, future] = [past.map(change), future.map(change)];
  }

  function clear() {
    [past, future] = [[], []];
  }

  return { push, undo, redo, map, clear, all: () => [...past, ...future], sizes: () => [past.length, future.length] };
}

/**
 * Creates a memory of the states sent to Python, each as a text, which tells late answers from news. Python answers one
 * after another: until the last answer is there, a state from before the newest change is old, however long it takes.
 */
function createEcho() {
  /** @type {string[]} */
  let known = [];  // sent or received since nothing was unanswered
  let newest = "";  // of those sent
  let unanswered = 0;

  /** @param {string} state */
  function send(state) {
    known.push(state);
    newest = state;
    unanswered++;
  }

  /** Something sent has been answered, or has failed; it may have belonged to a picture that was left since. */
  function answer() {
    unanswered = Math.max(unanswered - 1, 0);
    if (!unanswered) known = known.slice(-1);
  }

  /** @param {string} state from Python, which is shown now */
  function settle(state) {
    known = unanswered ? [...known, state] : [state];
  }

  /** @param {string} state from Python: true if it answers an earlier change than the latest */
  const isStale = (state) => unanswered > 0 && state !== newest && known.includes(state);

  return { send, answer, settle, isStale, clear: () => { known = []; } };
}

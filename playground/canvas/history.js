// Undo and redo, and which answers of Python's are late. Nothing here knows what a state holds.

const MAX_UNDO = 100;
const ECHO_MS = 2000;  // how long an answer to an earlier change may still arrive

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

/** Creates a memory of the states sent to Python, each as a text, which tells late answers from news. */
function createEcho() {
  /** @type {string[]} */
  let sent = [];  // what Python may still answer with, oldest first
  let sentAt = 0;

  /** @param {string} state */
  function send(state) {
    sent.push(state);
    sentAt = Date.now();
  }

  /** @param {string} state from Python: now both agree */
  function settle(state) {
    sent = [state];
  }

  /** @param {string} state from Python: true if it answers an earlier change than the latest */
  function isStale(state) {
    return sent.slice(0, -1).includes(state) && sent.at(-1) !== state && Date.now() - sentAt < ECHO_MS;
  }

  return { send, settle, isStale, clear: () => { sent = []; } };
}

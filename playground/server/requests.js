// The requests in progress of this window: two at a time, so that the server computes one answer while another one is
// on its way or being painted. Of their answers the newest counts.

const MOST_REQUESTS = 2;
const NUMBERS_MS = 250;  // after which one answer is awaited whole: otherwise a long drag would show pictures alone

/** Creates the record of the requests in progress. */
function createRequests() {
  const name = Math.random().toString(36).slice(2);  // of this window among those of the visitor
  /** @type {Map<number, AbortController>} */
  const controllers = new Map();  // by number
  let newest = 0;  // number of the request made last
  let shown = 0;  // number of the newest request whose picture is painted
  let wholeAt = 0;  // when the numbers on show were those of the picture

  /** Starts a request; returns what names it, and the signal that aborts it. */
  function start() {
    const controller = new AbortController();
    if (isIdle()) wholeAt = performance.now();
    newest += 1;
    controllers.set(newest, controller);
    return { window: name, number: newest, signal: controller.signal };
  }

  const isIdle = () => controllers.size === 0;
  /** True while the newest request is in progress. */
  const isAsking = () => controllers.has(newest);
  const hasRoom = () => isIdle() || (controllers.size < MOST_REQUESTS && performance.now() - wholeAt < NUMBERS_MS);

  /**
   * True if a piece of an answer is to be painted: its request has not been aborted, and no newer picture is on show.
   * That the server has forgotten the page's state is told by the newest request alone.
   *
   * @param {number} number of the request
   * @param {LiveAnswer} piece
   */
  function admit(number, piece) {
    if (!controllers.has(number) || number < shown || (piece.forgotten && number < newest)) return false;
    if (typeof piece.canvas === "string") shown = number;
    if (typeof piece.postponed === "boolean") wholeAt = performance.now();
    return true;
  }

  /**
   * Ends a request; returns true if its answer counts: it has not been aborted, and none was made after it.
   *
   * @param {number} number
   */
  const end = (number) => controllers.delete(number) && number === newest;

  /** Aborts all requests in progress: nothing of their answers is painted any more. */
  function abort() {
    const aborted = [...controllers.values()];
    controllers.clear();
    for (const controller of aborted) controller.abort();
  }

  return { start, isIdle, isAsking, hasRoom, admit, end, abort };
}

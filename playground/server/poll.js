// Asks whether there is news of background work: while the step that shows it is visible, and in every step as long as
// there is something to follow. A run shares the processor with this page, so numbers are shown the short way, and the
// rate adapts to what showing them takes.
const TICK_MS = 500;
const BUSY_MS = 1000;  // between two questions where news is expected
const IDLE_MS = 5000;  // … and where none is
const ALERT_MS = 3000;  // after a click, which may have started something that takes a moment to appear
const SHOW_MS = 2000;  // at least between two times that new numbers are shown …
const REST_FACTOR = 20;  // … and so many times as long as it took: a twentieth of one processor at most
let nextAt = 0;  // when to ask next
let showAt = 0;  // when to show new numbers next
let alertUntil = 0;  // no idling before
let asking = false;
/** @type {boolean | null} */
let following = null;  // in every step; null until that is known of the step that is visible
let shown = "";  // stamp of the numbers on show
let shownIn = -1;  // `live.eventCount` then: another event of Gradio's may have shown older ones
let announced = "";  // news announced last to Gradio …
let announceAgainAt = 0;  // … and when to announce it again: an event during another one is lost

const isVisible = () => document.body.dataset.step === props.step;
/** @param {string} controls */
const isFollowed = (controls) => controls.startsWith(props.followed);

async function poll() {
  if (!element.isConnected) {
    clearInterval(clock);
    document.removeEventListener("click", stayAlert);
    steps.disconnect();
    return;
  }
  const now = performance.now();
  const wanted = !document.hidden && (isVisible() || following !== false || isFollowed(props.value));
  if (!wanted) nextAt = 0;
  const request = wanted && !asking && now >= nextAt ? live.currentRequest() : null;
  if (!request) return;
  asking = true;
  const events = live.eventCount();
  const news = await server.news(request).catch(() => null);
  nextAt = now < alertUntil ? 0 : now + (news?.soon ? BUSY_MS : IDLE_MS);
  if (news?.forgotten) document.dispatchEvent(new Event("live-forgotten"));
  else if (news && events === live.eventCount()) await hear(news);
  asking = false;
}

/**
 * Shows news, or announces it to Gradio if its components have to change.
 *
 * @param {News} news
 */
async function hear(news) {
  const isNew = news.controls !== props.value;
  following = isFollowed(news.controls);
  if (isNew && (isVisible() || following || isFollowed(props.value))) announce(news);
  else if (news.stamp && isVisible()) await show(news.stamp);
}

/** @param {News} news */
function announce({ controls, event }) {
  if (controls === announced && performance.now() < announceAgainAt) return;
  [announced, announceAgainAt, nextAt] = [controls, performance.now() + IDLE_MS, 0];
  trigger(isFollowed(props.value) ? event : "tick");
}

/** @param {string} stamp */
async function show(stamp) {
  const [started, events] = [performance.now(), live.eventCount()];
  if ((stamp === shown && events === shownIn) || started < showAt) return;
  [shown, shownIn] = [await live.refresh() ? stamp : "", events];
  const ended = performance.now();
  showAt = ended + Math.min(IDLE_MS, Math.max(SHOW_MS, REST_FACTOR * (ended - started)));
}

function stayAlert() {
  alertUntil = performance.now() + ALERT_MS;
  nextAt = showAt = 0;
}

/** Asks once in a step that has become visible: an event of the one before may have started something to follow. */
function forgetAnswer() {
  following ||= null;
}

const clock = setInterval(poll, TICK_MS);
const steps = new MutationObserver(forgetAnswer);
steps.observe(document.body, { attributes: true, attributeFilter: ["data-step"] });
document.addEventListener("click", stayAlert);

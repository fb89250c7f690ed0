// Asks whether there is news of background work, while the step that shows it is visible.
const TICK_MS = 500;
const IDLE_MS = 5000;  // between two questions where no news is expected
const ALERT_MS = 3000;  // after a click, which may have started something that takes a moment to appear
let nextAt = 0;  // when to ask next
let alertUntil = 0;  // no idling before
let asking = false;
let announced = "";  // stamp of the news announced last …
let announceAgainAt = 0;  // … and when to announce it again: an event during another one is lost

async function poll() {
  if (!element.isConnected) {
    clearInterval(clock);
    document.removeEventListener("click", stayAlert);
    return;
  }
  const now = performance.now();
  const visible = document.body.dataset.step === props.step && !document.hidden;
  if (!visible) nextAt = 0;
  const request = visible && !asking && now >= nextAt ? live.currentRequest() : null;
  if (!request) return;
  asking = true;
  nextAt = now < alertUntil ? 0 : now + IDLE_MS;
  const news = await server.news(request).catch(() => null);
  asking = false;
  if (news?.forgotten) document.dispatchEvent(new Event("live-forgotten"));
  if (news?.soon) nextAt = 0;
  if (!news?.stamp || news.stamp === props.value) return;
  if (news.stamp === announced && performance.now() < announceAgainAt) return;
  [announced, announceAgainAt, nextAt] = [news.stamp, performance.now() + IDLE_MS, 0];
  trigger("tick");
}

function stayAlert() {
  alertUntil = performance.now() + ALERT_MS;
  nextAt = 0;
}

const clock = setInterval(poll, TICK_MS);
document.addEventListener("click", stayAlert);

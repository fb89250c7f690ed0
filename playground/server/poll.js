// Looks whether there is news of what goes on in the background, while the step that shows it is on show.
const LOOK_MS = 500;
const IDLE_MS = 5000;  // where none is expected
const HURRY_MS = 3000;  // after a click, which may have started something that takes a moment to be seen
let due = 0;  // when it looks next
let hurried = 0;  // until when it does not idle
let looking = false;
let tried = "";  // stamp of the news that were told last …
let again = 0;  // … and when to tell them anew, should they not be shown by then: an event that comes amid another is lost

async function look() {
  if (!element.isConnected) {
    clearInterval(clock);
    document.removeEventListener("click", hurry);
    return;
  }
  const now = performance.now();
  const onShow = document.body.dataset.step === props.step && !document.hidden;
  if (!onShow) due = 0;
  const asked = onShow && !looking && now >= due ? live.settled() : null;
  if (!asked) return;
  looking = true;
  due = now < hurried ? 0 : now + IDLE_MS;
  const news = await server.news(asked).catch(() => null);
  looking = false;
  if (news?.forgotten) document.dispatchEvent(new Event("live-forgotten"));
  if (news?.soon) due = 0;
  if (!news?.stamp || news.stamp === props.value || (news.stamp === tried && performance.now() < again)) return;
  [tried, again, due] = [news.stamp, performance.now() + IDLE_MS, 0];
  trigger("tick");
}

function hurry() {
  hurried = performance.now() + HURRY_MS;
  due = 0;
}

const clock = setInterval(look, LOOK_MS);
document.addEventListener("click", hurry);

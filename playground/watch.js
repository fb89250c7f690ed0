// Looks whether there is news of what goes on in the background, for as long as the step that shows it is on show.
const LOOK_MS = 500;
const IDLE_MS = 5000;  // where none is expected
let due = 0;  // when it looks next
let looking = false;

async function look() {
  if (!element.isConnected) {
    clearInterval(clock);
    document.removeEventListener("click", hurry);
  } else if (document.body.dataset.step !== props.step || document.hidden) {
    hurry();
  } else if (!looking && performance.now() >= due) {
    looking = true;
    const news = await server.news(live.asked()).catch(() => null);
    looking = false;
    const isNew = news?.stamp && news.stamp !== props.value;  // again and again, until it is shown
    due = performance.now() + (isNew || news?.soon ? LOOK_MS : IDLE_MS);
    if (isNew) trigger("tick");
  }
}

/** Something may have been started. */
function hurry() {
  due = 0;
}

const clock = setInterval(look, LOOK_MS);
document.addEventListener("click", hurry);

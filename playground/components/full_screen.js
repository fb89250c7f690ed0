// The browser's full screen, which is granted some time after it is asked for. If it is refused, as in a frame without
// permission, the caller fills the window instead. Part of `present.js`, so that its state exists once.

let filling = false;  // asked for, and not answered yet
/** @type {Promise<void>} */
let leaving = Promise.resolve();

/**
 * Asks for the full screen, once it has been left, and leaves it again if it is granted too late.
 *
 * @param {() => boolean} isWanted
 */
async function fillScreen(isWanted) {
  filling = true;
  try {
    await leaving;
    await document.documentElement.requestFullscreen();
  } catch {
    return;
  } finally {
    filling = false;
  }
  if (!isWanted()) leaveScreen();
}

function leaveScreen() {
  if (document.fullscreenElement) leaving = document.exitFullscreen().catch(() => {});
}

/** @param {() => void} listener called when the full screen has been left, unless it has been asked for again */
function onScreenLeft(listener) {
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && !filling) listener(); });
}

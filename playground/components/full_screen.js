// The browser's full screen, which is granted some time after it is asked for, or refused as in a frame that may not:
// then what asks for it fills the window.

/**
 * Asks for the full screen, and leaves it again if it is granted too late.
 *
 * @param {() => boolean} isWanted
 */
async function fillScreen(isWanted) {
  try {
    await document.documentElement.requestFullscreen();
  } catch {
    return;
  }
  if (!isWanted()) leaveScreen();
}

function leaveScreen() {
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
}

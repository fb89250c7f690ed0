// plotly.js, which is loaded for the first figure once the picture is painted: running it takes longer than that.

const POLL_MS = 50;
const LATEST_MS = 3000;  // the figure waits no longer for the picture
const FAILED = "The browser could not load plotly.js, which draws figures: check the connection and reload the page.";

/** @type {Promise<void> | null} */
let loading = null;

/** Loads plotly.js, once; after a failure, such as a lost connection, the next figure tries again. */
window.loadPlotly = () => {
  loading ??= waitForPicture().then(runPlotly).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
};

async function waitForPicture() {
  const latest = performance.now() + LATEST_MS;
  while (isPictureAwaited() && performance.now() < latest) {
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
}

/** True if there is a place for the picture, as there is none around an embedded figure, and nothing in it. */
function isPictureAwaited() {
  return Boolean(document.querySelector(".pic:not([data-drawn])")?.clientWidth);
}

/** @returns {Promise<void>} */
function runPlotly() {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = /** @type {HTMLLinkElement} */ (document.querySelector("#plotly")).href;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(FAILED));
    document.head.append(script);
  });
}

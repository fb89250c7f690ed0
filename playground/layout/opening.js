// What the browser remembers of earlier visits. Runs in the page's head, before anything is built: the first screen is
// the right one in the right colours from the start.

window.memory ??= (() => {
  const PREFIX = "retinanet-";  // separates the page from others of the same origin

  /** @type {Memory["recall"]} */
  function recall(name) {
    try {
      return localStorage.getItem(PREFIX + name) ?? "";
    } catch {  // the visitor's browser stores nothing
      return "";
    }
  }

  /** @type {Memory["keep"]} */
  function keep(name, text) {
    try {
      localStorage.setItem(PREFIX + name, text);
    } catch {
      // As above, or its store is full: the next visit then begins as the first.
    }
  }

  return { recall, keep };
})();

/** A visit without a query goes on where the last one ended. */
function openRemembered() {
  const address = memory.recall("address");
  if (!location.search && address.startsWith("?")) history.replaceState(null, "", location.pathname + address);
}

/** Says what is about to be on show, until the strip has its first numbers (`strip.js`). */
function markOpening() {
  const story = !location.search || new URLSearchParams(location.search).get("view") === "story";
  document.body.toggleAttribute("data-opening", true);
  document.body.toggleAttribute("data-story", story);
}

openRemembered();
if (document.body) markOpening();
else document.addEventListener("DOMContentLoaded", markOpening);

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
  const query = new URLSearchParams(location.search);
  const story = !location.search || (query.get("view") === "story" && !query.has("embed"));
  document.body.toggleAttribute("data-opening", true);
  document.body.toggleAttribute("data-story", story);
}

/** Keeps the theme that the visitor has chosen; without a choice, Gradio follows the system's. */
function keepTheme() {
  const theme = memory.recall("theme");
  if (!theme) return;
  const dark = theme === "dark";
  document.body.classList.toggle("dark", dark);
  const [shade, from] = dark ? ["", "-dark"] : ["-dark", ""];  // Gradio's colours until its styles are there
  const { style } = document.documentElement;
  for (const name of ["bg", "col"]) style.setProperty(`--${name}${shade}`, `var(--${name}${from})`);
}

/** Marks the layout, too, as soon as it is there: Gradio rewrites rules for widths so that they cannot ask the body. */
function markLayout() {
  const layout = document.querySelector(".layout");
  layout?.toggleAttribute("data-story", document.body.hasAttribute("data-story"));
  return layout;
}

function begin() {
  markOpening();
  new MutationObserver((_, observer) => { if (markLayout()) observer.disconnect(); })
    .observe(document.body, { childList: true, subtree: true });
  keepTheme();
  new MutationObserver(keepTheme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

openRemembered();
if (document.body) begin();
else document.addEventListener("DOMContentLoaded", begin);

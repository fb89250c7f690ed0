// The header: the ways through the page, the theme, short messages, and the menu that holds the rest on narrow screens.
const SAID_MS = 4000;  // that a message stays
const PATIENCE_MS = 10_000;  // for the server's answer
const saidNode = /** @type {HTMLElement} */ (element.querySelector(".header-said"));
let saidTimer = 0;

/** @param {string} text */
function sayBriefly(text) {
  saidNode.textContent = text;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { saidNode.textContent = ""; }, SAID_MS);
}

/**
 * Clicks a button elsewhere on the page.
 *
 * @param {string} selector
 */
function press(selector) {
  /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();
}

// ---- the ways through the page

/** The same step with all of its knobs and numbers: out of the lesson, and out of the story that may be behind it. */
function explore() {
  outOfLesson(() => {
    if (document.body.hasAttribute("data-story")) press(".strip button[aria-current]");
  });
}

function showMyPictures() {
  press('.strip button[data-step="picture"]');
  const album = /** @type {HTMLDetailsElement | null} */ (document.querySelector(".album"));
  if (album) album.open = true;
  focusWhenSeen(".intake-choose", performance.now() + PATIENCE_MS);
}

/**
 * Focuses an element as soon as it is on show.
 *
 * @param {string} selector
 * @param {number} until ms, of the page's clock
 */
function focusWhenSeen(selector, until) {
  const node = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  if (node?.checkVisibility()) node.focus();
  else if (performance.now() < until) requestAnimationFrame(() => focusWhenSeen(selector, until));
}

/** Past the header and the strip: to the first knob on show, in a step of a lesson without any to the picture. */
function skipToKnobs() {
  const places = [...document.querySelectorAll(".knob input"), ...document.querySelectorAll(".pic-top")];
  /** @type {HTMLElement | undefined} */ (places.find((place) => place.checkVisibility()))?.focus();
}

/** @param {boolean} on */
function showRest(on) {
  document.querySelector(".header")?.toggleAttribute("data-more", on);
  document.querySelector("#more")?.setAttribute("aria-expanded", String(on));
}

/** @type {Record<string, () => void>} */
const PRESSED = {
  explore,
  "my-pictures": () => outOfLesson(showMyPictures),
  theme: toggleTheme,
  more: () => showRest(!document.querySelector(".header")?.hasAttribute("data-more")),
};

// ---- the theme

function toggleTheme() {
  const dark = document.body.classList.toggle("dark");
  memory.keep("theme", dark ? "dark" : "light");
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  PRESSED[target.closest(".header button")?.id ?? ""]?.();
  if (!target.closest(".header-rest, #more") || target.closest("#explore, #my-pictures")) showRest(false);
});
document.addEventListener("keydown", ({ key }) => { if (key === "Escape") showRest(false); });
document.addEventListener("said", ({ detail }) => sayBriefly(detail));
element.querySelector(".header-skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  skipToKnobs();
});
element.querySelector(".header-home")?.addEventListener("click", (event) => {
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("open-link", { detail: "view=story" }));
});

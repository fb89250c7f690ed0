// Moves the keyboard's focus: to the heading of a lesson's step, and to the strip's current step after the lesson.

// Gradio builds the heading anew with every step.
const headingObserver = new MutationObserver(() => {
  if (document.activeElement === document.body) focusHeading();
  else headingObserver.disconnect();
});

/** Moves the focus to the heading of the lesson as soon as Gradio has built it; it stays there in the steps to come. */
function focusHeading(until = performance.now() + PATIENCE_MS) {
  const title = /** @type {HTMLElement | null} */ (document.querySelector("#lesson-title"));
  const heading = title?.querySelector("h2");
  if (!title || !heading?.checkVisibility()) {
    if (currentLink && performance.now() < until) requestAnimationFrame(() => focusHeading(until));
    return;
  }
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  headingObserver.observe(title, { childList: true, subtree: true });
}

/**
 * Moves the focus from the lesson's panel to the current step of the strip as soon as Gradio has hidden the panel;
 * whatever else has the focus keeps it.
 */
function focusStep(until = performance.now() + PATIENCE_MS) {
  const panel = document.querySelector(".lesson");
  const focused = document.activeElement;
  if (currentLink || performance.now() > until || (focused !== document.body && !panel?.contains(focused))) return;
  const step = /** @type {HTMLElement | null} */ (document.querySelector(".strip [aria-current]"));
  if (panel?.checkVisibility() || !step?.checkVisibility()) requestAnimationFrame(() => focusStep(until));
  else step.focus();
}

// The map closes behind a step that is chosen in it; the test stays open, for the other steps that it names.
document.addEventListener("click", ({ target }) => {
  const link = target instanceof Element && target.closest(":is(.lesson-map, .lesson-quiz) [data-choose]");
  if (!link) return;
  link.closest(".lesson-map details")?.removeAttribute("open");
  window.scrollTo({ top: 0 });
  focusHeading();
});

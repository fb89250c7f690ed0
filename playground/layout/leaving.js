// Leaving a lesson for what only the page outside of it shows. Part of the header and of the banner.
const LEAVING_MS = 10_000;  // for the server's answer

/**
 * Does something outside of lessons: at once, or as soon as the lesson on show has been left.
 *
 * @param {() => void} act
 */
function outOfLesson(act) {
  if (!document.body.dataset.lesson) return act();
  const observer = new MutationObserver(() => {
    if (document.body.dataset.lesson) return;
    observer.disconnect();
    requestAnimationFrame(act);  // once all of the answer is painted
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-lesson"] });
  setTimeout(() => observer.disconnect(), LEAVING_MS);
  return /** @type {HTMLElement | null} */ (document.querySelector("#leave-lesson"))?.click();
}

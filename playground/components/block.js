/**
 * Leaves no gap in the page while the component shows nothing. A rule with :has() could do so, too, but with such rules
 * the browser computes the styles of the whole page anew at every answer.
 *
 * @param {boolean} empty
 */
function markEmpty(empty) {
  element.closest(".block")?.toggleAttribute("data-empty", empty);
}

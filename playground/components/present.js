// Presents a figure or the picture: it fills the screen, with the knobs of its step beside it. Nothing is moved:
// style/present.css arranges the page by <body data-present>, and what is shown is marked by `data-presented`. A frame
// in another page shows one figure or the picture in the same way, by <body data-embed>.

/**
 * Returns what to call a file with an image of something.
 *
 * @param {string} what its title
 * @param {string} format "png" or "svg"
 */
function imageName(what, format) {
  const words = what.toLowerCase().replaceAll("γ", "gamma").match(/[a-z0-9]+/g) ?? ["figure"];
  return `retinanet-${words.join("-").slice(0, 80)}.${format}`;
}

window.presenting ??= (() => {
  /** @type {HTMLElement | null} */
  let shown = null;
  /** @type {HTMLElement | null} */
  let focusedBefore = null;

  /**
   * Marks what is shown, the part of the page that it is in, and what is in between.
   *
   * @param {HTMLElement} node
   * @param {boolean} on
   */
  function mark(node, on) {
    const page = document.querySelector(".layout")?.parentElement;
    node.toggleAttribute("data-presented", on);
    for (let part = node.parentElement; part && part !== page; part = part.parentElement) {
      part.toggleAttribute(part.parentElement === page ? "data-stage" : "data-holds", on);
    }
  }

  /** @type {Presenting["toggle"]} */
  function toggle(node, kind) {
    if (shown === node) leave();
    else enter(node, kind);
  }

  /**
   * @param {HTMLElement} node
   * @param {string} kind
   */
  function enter(node, kind) {
    leave();
    focusedBefore = /** @type {HTMLElement | null} */ (document.activeElement);
    shown = node;
    mark(node, true);
    document.body.dataset.present = kind;
    tell();
    fillScreen(() => shown !== null);
  }

  function leave() {
    if (!shown) return;
    if (!document.body.hasAttribute("data-embed")) mark(shown, false);
    shown = null;
    delete document.body.dataset.present;
    if (!document.body.hasAttribute("data-lesson-present")) leaveScreen();
    tell();
    focusedBefore?.focus({ preventScroll: true });
  }

  function tell() {
    document.dispatchEvent(new CustomEvent("presenting"));
    window.dispatchEvent(new Event("resize"));  // the picture is fitted to the window
  }

  /** @type {Presenting["embed"]} */
  function embed(node) {
    mark(node, true);
  }

  /** @type {Presenting["save"]} */
  function save(address, what, format) {
    const link = document.createElement("a");
    link.href = address;
    link.download = imageName(what, format);
    link.click();
  }

  function readAddress() {
    const name = new URLSearchParams(location.search).get("embed");
    if (name) document.body.dataset.embed = name;
  }

  onScreenLeft(leave);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shown) return;
    event.stopPropagation();
    leave();
  }, true);
  if (document.body) readAddress();
  else document.addEventListener("DOMContentLoaded", readAddress);

  return { toggle, embed, save, isShown: (node) => shown === node, fillScreen, leaveScreen, onScreenLeft };
})();

// A button that opens a list of choices. Its value is the key of the current choice, "" for none.
const opener = /** @type {HTMLButtonElement} */ (element.querySelector(".menu-opener"));
const list = /** @type {HTMLElement} */ (element.querySelector(".menu-list"));
const items = () => /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-choose]"));

/** @param {boolean} on */
function setOpen(on) {
  opener.setAttribute("aria-expanded", String(on));
  list.hidden = !on;
}

/** @param {number} index of the item, which wraps around at both ends */
function focusItem(index) {
  const every = items();
  every[(index + every.length) % every.length]?.focus();
}

function close() {
  const inside = list.contains(document.activeElement);
  setOpen(false);
  if (inside) opener.focus();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const at = [...items()].findIndex((item) => item === document.activeElement);
  /** @type {Record<string, () => void>} */
  const moves = {
    ArrowDown: () => focusItem(at + 1), ArrowUp: () => focusItem(at < 0 ? -1 : at - 1),
    Home: () => focusItem(0), End: () => focusItem(-1), Escape: close,
  };
  if (!moves[event.key] || (list.hidden && event.key !== "ArrowDown")) return;
  event.preventDefault();
  setOpen(true);
  moves[event.key]();
}

function showCurrent() {
  for (const item of items()) {
    if (item.dataset.choose === props.value) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }
}

opener.addEventListener("click", () => setOpen(list.hidden));
element.addEventListener("keydown", onKey);
element.addEventListener("focusout", ({ relatedTarget }) => {
  if (relatedTarget instanceof Element && !element.contains(relatedTarget)) setOpen(false);
});
list.addEventListener("click", ({ target }) => {
  const item = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-choose]")) : null;
  if (!item) return;
  close();
  trigger("select", { choose: item.dataset.choose });
});
document.addEventListener("pointerdown", ({ target }) => {
  if (target instanceof Element && !element.contains(target)) setOpen(false);
});
watch("value", showCurrent);
showCurrent();

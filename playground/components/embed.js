// HTML that shows a figure or the picture alone in another page.

/** @param {string} search of the address */
function withoutEmbed(search) {
  const query = new URLSearchParams(search);
  query.delete("embed");
  return query.size ? `?${query.toString()}` : "";
}

/** @param {string} text for an attribute, or where tags are read */
function escapeMarkup(text) {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * Returns the HTML of a frame that shows a part of the page.
 *
 * @param {Record<string, string>} shown what the address has to name beside the settings
 * @param {string} title
 */
function frameCode(shown, title) {
  const query = new URLSearchParams(withoutEmbed(location.search));
  for (const name of ["view", "beside"]) query.delete(name);
  for (const [name, value] of Object.entries(shown)) query.set(name, value);
  const address = escapeMarkup(`${location.origin}${location.pathname}?${query.toString()}`);
  const frame = `src="${address}" title="${escapeMarkup(title)}"`;
  return `<iframe ${frame} width="720" height="560" loading="lazy"></iframe>`;
}

/**
 * Shows the HTML of a frame in a field, and copies it; hides the field if it was shown.
 *
 * @param {HTMLInputElement} field
 * @param {() => string} makeCode
 */
async function toggleCode(field, makeCode) {
  field.hidden = !field.hidden;
  if (field.hidden) return;
  document.addEventListener("strip-answered", () => { field.hidden = true; }, { once: true });  // of another address
  field.value = makeCode();
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    tellHeader("Copied");
  } catch {  // without permission, or without https
    tellHeader("Copy the selected HTML with Ctrl+C or ⌘C.");
  }
}

/** @param {string} text to say for a moment, see `layout/header.js` */
function tellHeader(text) {
  document.dispatchEvent(new CustomEvent("said", { detail: text }));
}

/** @param {HTMLAnchorElement} link in a frame, to the whole page with what the frame shows */
function linkToPage(link) {
  const update = () => { link.href = location.pathname + withoutEmbed(location.search); };
  link.addEventListener("pointerdown", update);
  link.addEventListener("focus", update);
  update();
}

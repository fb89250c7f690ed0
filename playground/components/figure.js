// The frame of a figure: its title, and buttons to present it, save it as an image, and embed it in another page.

const figureNode = /** @type {HTMLElement} */ (element.querySelector(".figure"));
const embedCode = /** @type {HTMLInputElement} */ (figureNode.querySelector(".figure-code"));
const fullPage = /** @type {HTMLAnchorElement} */ (figureNode.querySelector(".figure-full"));
const SAVED = { width: 1280, height: 760, text: 18 };  // px; a PNG has twice as many

/** @param {string} search of the address */
function withoutEmbed(search) {
  const query = new URLSearchParams(search);
  query.delete("embed");
  return query.size ? `?${query.toString()}` : "";
}

/**
 * Returns the HTML that shows the figure in another page.
 *
 * @param {string} step
 * @param {string} title
 */
function frameCode(step, title) {
  const query = new URLSearchParams(withoutEmbed(location.search));
  query.delete("view");
  query.set("embed", step);
  const address = `${location.origin}${location.pathname}?${query.toString()}`.replaceAll("&", "&amp;");
  return `<iframe src="${address}" title="${title}" width="720" height="560" loading="lazy"></iframe>`;
}

/** @param {"png" | "svg"} format */
async function saveFigure(format) {
  if (!newest || !(await hasPlotly())) return;
  const { figure } = take();
  if (!figure) return;
  const { width, height, text } = SAVED;
  const theme = currentTheme(figure.layout, text);
  const background = getComputedStyle(document.body).getPropertyValue("--body-background-fill").trim() || "white";
  const layout = { ...theme, width, height, paper_bgcolor: background, plot_bgcolor: background };
  const options = { format, width, height, scale: format === "png" ? 2 : 1 };
  const title = figure.layout.title.text;
  presenting.save(await window.Plotly.toImage({ data: figure.data, layout }, options), title, format);
}

async function showCode() {
  embedCode.hidden = !embedCode.hidden;
  if (embedCode.hidden) return;
  embedCode.value = frameCode(document.body.dataset.step ?? "", caption?.textContent ?? "");
  embedCode.select();
  try {
    await navigator.clipboard.writeText(embedCode.value);
  } catch {
    // Without permission the visitor copies the selected text.
  }
}

const FIGURE_ACTIONS = /** @type {Record<string, () => void>} */ ({
  present: () => presenting.toggle(figureNode, "figure"),
  png: () => saveFigure("png"),
  svg: () => saveFigure("svg"),
  embed: showCode,
});

figureNode.addEventListener("click", ({ target: node }) => {
  const button = node instanceof Element ? /** @type {HTMLElement | null} */ (node.closest("[data-do]")) : null;
  if (button?.dataset.do) FIGURE_ACTIONS[button.dataset.do]();
});
figureNode.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "f") return;
  event.preventDefault();
  FIGURE_ACTIONS.present();
});
document.addEventListener("presenting", () => {
  const button = figureNode.querySelector('[data-do="present"]');
  button?.setAttribute("aria-pressed", String(presenting.isShown(figureNode)));
});
fullPage.addEventListener("pointerdown", setFullPage);
fullPage.addEventListener("focus", setFullPage);

function setFullPage() {
  fullPage.href = location.pathname + withoutEmbed(location.search);
}

setFullPage();
if (props.part === "figure" && document.body.hasAttribute("data-embed")) presenting.embed(figureNode);

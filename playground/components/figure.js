// The frame of a figure: its title, and buttons to present it, save it as an image, and embed it in another page.

const figureNode = /** @type {HTMLElement} */ (element.querySelector(".figure"));
const embedCode = /** @type {HTMLInputElement} */ (figureNode.querySelector(".figure-code"));
const fullPage = /** @type {HTMLAnchorElement} */ (figureNode.querySelector(".figure-full"));
const SAVED = { width: 1280, height: 760, text: 18 };  // px; a PNG has twice as many

/** @param {"png" | "svg"} format */
async function saveFigure(format) {
  if (!newest || !(await hasPlotly())) return;
  const { figure } = take();
  if (!figure) return;
  const { width, height, text } = SAVED;
  const theme = currentTheme(figure.layout, text);
  theme.title.text = escapeMarkup(theme.title.text);  // elsewhere the page shows the title, as text
  const background = getComputedStyle(document.body).getPropertyValue("--body-background-fill").trim() || "white";
  const layout = { ...theme, width, height, paper_bgcolor: background, plot_bgcolor: background };
  const options = { format, width, height, scale: format === "png" ? 2 : 1 };
  const title = figure.layout.title.text;
  presenting.save(await window.Plotly.toImage({ data: figure.data, layout }, options), title, format);
}

function showCode() {
  toggleCode(embedCode, () => frameCode({ embed: document.body.dataset.step ?? "" }, caption?.textContent ?? ""));
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
linkToPage(fullPage);
const { embed = "" } = document.body.dataset;
if (props.part === "figure" && embed && embed !== "picture") presenting.embed(figureNode);

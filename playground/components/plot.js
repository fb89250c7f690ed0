// One figure: plotly.js draws it into the component's element and is given only what has changed.
const target = /** @type {PlotElement} */ (element.querySelector(".plot"));

const caption = element.querySelector(".figure figcaption");

const LAYOUT_TEXT = 12;  // px, the font size that the lengths in a layout are meant for
const LOW = 22;  // font sizes, the height below which a figure has no room for a legend under it …
const LOWEST = 12;  // … and that below which a legend would have to be scrolled
const REST_MS = 300;  // a pause after which a figure with moved lines is redrawn whole, with axes that fit

/**
 * Returns a layout in the page's current colours, scaled to its current font size.
 *
 * @param {Layout} layout
 * @param {number} size font size, px
 * @param {string} family font family
 * @param {{text: string, grid: string}} colours
 */
function applyTheme(layout, size, family, { text, grid }) {
  /** @type {(length: number) => number} */
  const scaled = (length) => (length * size) / LAYOUT_TEXT;
  const axis = { gridcolor: grid, zerolinecolor: grid, automargin: true };
  return {
    ...layout,
    margin: Object.fromEntries(Object.entries(layout.margin).map(([side, length]) => [side, scaled(length)])),
    title: { ...layout.title, font: { size: scaled(layout.title.font.size) } },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, family, size },
    hoverlabel: { font: { size } },
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
    ...(layout.yaxis2 && { yaxis2: { ...axis, showgrid: false, ...layout.yaxis2 } }),
    shapes: (layout.shapes ?? []).map((shape) => ({ ...shape, line: { color: text, ...shape.line } })),
    uirevision: layout.title.text,  // keeps zoom and hidden curves while the same figure is shown
  };
}

/**
 * Returns how the parts of a figure share its height: the title is above it, where it has lines enough at every width;
 * in a low one, the legend is beside the plot instead of under it, and where it does not fit there it is left out.
 *
 * @param {ReturnType<typeof applyTheme>} theme
 * @param {number} height px
 */
function fitParts(theme, height) {
  const { margin, font: { size }, legend } = theme;
  const parts = { title: { text: "" }, margin: { ...margin, t: size } };
  if (height >= LOW * size || !legend) return parts;
  // The numbers of a right axis come first.
  const beside = { x: theme.yaxis2 ? 1.1 : 1.01, xanchor: "left", y: 1, yanchor: "top", font: { size: 0.9 * size } };
  const showlegend = height >= LOWEST * size;
  return { ...parts, margin: { ...parts.margin, b: 3.4 * size }, legend: beside, showlegend };
}

/**
 * @param {Layout} layout
 * @param {number} size font size, px
 */
function currentTheme(layout, size) {
  const style = getComputedStyle(document.body);
  /** @type {(name: string) => string} */
  const colour = (name) => style.getPropertyValue(name).trim();
  const colours = { text: colour("--body-text-color"), grid: colour("--border-color-primary") };
  return applyTheme(layout, size, style.fontFamily, colours);
}

/** Removes the page's address from clip paths: with a <base>, plotly.js writes it whole, but the address changes. */
function clipWithoutAddress() {
  for (const node of target.querySelectorAll("[clip-path]")) {
    node.setAttribute("clip-path", String(node.getAttribute("clip-path")).replace(/'.*#(.*)'/, "'#$1'"));
  }
}

let newest = "";  // the figure to show, as JSON because plotly.js writes into what it is given
/** @type {{value: string, figure: Figure | null, outline: string}} */
let parsed = { value: "", figure: null, outline: "" };  // the value that was parsed last and not taken yet
let outline = "";  // of the figure that is drawn: all but the heights of its curves; "" redraws the next one whole
let listening = false;
let drawnSize = "";  // width and height that the figure was drawn for, px
let restTimer = 0;
let painting = false;
let paintAgain = false;

/** @param {string} value */
function draw(value) {
  newest = value;
  markFigure(parse(value).figure);
  paint();
}

function redraw() {
  outline = "";
  paint();
}

/** Paints the newest figure, one after another: plotly.js must not be given a figure while lines move. */
async function paint() {
  paintAgain = true;
  if (painting) return;
  painting = true;
  try {
    while (paintAgain) {
      paintAgain = false;
      await paintOnce();
    }
  } finally {
    painting = false;
  }
}

/**
 * Makes the place of a figure, with its title; plotly.js may still have to be loaded.
 *
 * @param {Figure | null} figure
 */
function markFigure(figure) {
  const column = target.closest(".right");
  target.hidden = !figure;
  target.closest(".figure")?.toggleAttribute("data-empty", !figure);
  if (!figure) {
    column?.removeAttribute("data-figure");
    return;
  }
  const { height, title: { text } } = figure.layout;
  column?.setAttribute("data-figure", text);
  target.setAttribute("aria-label", text);
  if (caption && caption.textContent !== text) caption.textContent = text;
  target.style.setProperty("--own-height", `${height / LAYOUT_TEXT}em`);  // see style/numbers.css
}

async function paintOnce() {
  clearTimeout(restTimer);
  if (newest && !(await hasPlotly())) return;
  paintAgain = false;  // changes made while plotly.js was loading are part of this figure
  const { figure, outline: wanted } = take();
  if (figure && wanted === outline && haveLinesRoom(figure)) {
    await moveLines(figure);
    return;
  }
  outline = "";
  if (figure) drawWhole(figure);
  outline = wanted;
}

/** Loads plotly.js; returns false if that fails, which is said in the figure's place until a later figure succeeds. */
async function hasPlotly() {
  try {
    await window.loadPlotly();
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    target.textContent = message;
    target.setAttribute("aria-label", message);  // of an image, screen readers read nothing else
    return false;
  }
  if (!listening) target.replaceChildren();
  return true;
}

/**
 * True if a value differs from the figure that is drawn in the heights of its lines alone, and they fit its axes.
 *
 * @param {string} value
 */
function isMove(value) {
  const { figure, outline: wanted } = parse(value);
  return figure !== null && wanted === outline && haveLinesRoom(figure);
}

/** @param {Figure} figure */
const haveLinesRoom = ({ data }) => data.every((trace) => fitsAxis(trace, target.layout.yaxis));

/**
 * Returns all of a figure but the heights of its curves, as text to compare.
 *
 * @param {Figure} figure
 */
function outlineOf({ layout, data }) {
  return JSON.stringify([layout, data.map((trace) => ({ ...trace, y: 0 }))]);
}

/**
 * True for a line of the left axis that lies within its current range.
 *
 * @param {Trace} trace
 * @param {Axis} axis
 */
function fitsAxis({ mode, yaxis, y }, { range: [low, high], type }) {
  const scale = type === "log" ? Math.log10 : Number;
  return mode === "lines" && !yaxis && y.every((height) => scale(height) >= low && scale(height) <= high);
}

/**
 * Draws the lines alone, in half the time that the whole figure takes; the axes follow after a pause.
 *
 * @param {Figure} figure
 */
async function moveLines(figure) {
  const moved = { data: figure.data.map(({ y }) => ({ y })), traces: figure.data.map((_, index) => index) };
  const immediately = { mode: "immediate", transition: { duration: 0 }, frame: { duration: 0, redraw: false } };
  requestAnimationFrame(countDrawing);  // by then the lines have moved, although plotly.js is not done
  restTimer = setTimeout(redraw, REST_MS);
  await window.Plotly.animate(target, moved, immediately);
}

/** @param {Figure} figure */
function drawWhole(figure) {
  const { clientWidth: width, clientHeight: height } = target;
  drawnSize = `${width} ${height}`;
  const theme = currentTheme(figure.layout, Math.max(LAYOUT_TEXT, parseFloat(getComputedStyle(target).fontSize)));
  const layout = { ...theme, ...fitParts(theme, height), width, height };
  window.Plotly.react(target, figure.data, layout, { displayModeBar: false });
  if (!listening) target.on("plotly_afterplot", clipWithoutAddress);
  listening = true;
  clipWithoutAddress();
  target.dataset.title = figure.layout.title.text;
  countDrawing();
}

function countDrawing() {
  target.dataset.drawn = String(Number(target.dataset.drawn ?? 0) + 1);
}

/**
 * Returns a figure with its outline.
 *
 * @param {string} value
 */
function parse(value) {
  if (value !== parsed.value) {
    const figure = JSON.parse(value || "null");
    parsed = { value, figure, outline: figure ? outlineOf(figure) : "" };
  }
  return parsed;
}

/** Returns the newest figure with its outline, for plotly.js to write into. */
function take() {
  const taken = parse(newest);
  parsed = { value: "", figure: null, outline: "" };
  return taken;
}

/** Redraws the figure if it has more or less space than it was drawn for; a hidden one waits until it is seen. */
function fitSpace() {
  const { clientWidth: width, clientHeight: height } = target;
  if (width && height && drawnSize !== `${width} ${height}`) redraw();
}

const drawValue = live.part(props.part, draw, () => props.value, undefined, isMove);
watch("value", drawValue);
new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["class", "data-lesson"] });
new ResizeObserver(fitSpace).observe(target);
window.addEventListener("online", fitSpace);
drawValue();

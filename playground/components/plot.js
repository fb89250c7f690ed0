// One figure: plotly.js draws it into the component's element and is told only what changed.
const target = element.querySelector(".plot");

const MADE_FOR = 12;  // px of text, what the sizes in a layout are meant for

/** Returns a layout in the colours and the size of text that the page has now. */
function themed(layout) {
  const style = getComputedStyle(document.body);
  const size = Math.max(MADE_FOR, parseFloat(getComputedStyle(target).fontSize));
  const grown = (length) => (length * size) / MADE_FOR;
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { gridcolor: colour("--border-color-primary"), zerolinecolor: colour("--border-color-primary") };
  return {
    ...layout,
    height: grown(layout.height),
    margin: Object.fromEntries(Object.entries(layout.margin).map(([side, length]) => [side, grown(length)])),
    title: { ...layout.title, font: { size: grown(layout.title.font.size) } },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--body-text-color"), family: style.fontFamily, size },
    xaxis: { ...axis, automargin: true, ...layout.xaxis },
    yaxis: { ...axis, automargin: true, ...layout.yaxis },
    ...(layout.yaxis2 && { yaxis2: { ...axis, automargin: true, showgrid: false, ...layout.yaxis2 } }),
    shapes: (layout.shapes || []).map((shape) => ({
      ...shape,
      line: { color: colour("--body-text-color"), ...shape.line },
    })),
    uirevision: layout.title.text, // keep zoom and hidden curves while the same figure is shown
  };
}

/** Beside a <base> plotly writes the page's whole address into what clips a curve, but the address changes later. */
function clipWithoutAddress() {
  for (const part of target.querySelectorAll("[clip-path]")) {
    part.setAttribute("clip-path", part.getAttribute("clip-path").replace(/'.*#(.*)'/, "'#$1'"));
  }
}

const REST_MS = 300;  // after which a figure whose lines have moved is drawn anew, with axes that fit them

let newest = "";  // the figure to show, as JSON: plotly.js writes into what it is given
let outline = "";  // of the one that is drawn: all but the heights of its curves; "" if the next is drawn as a whole
let listening = false;
let resting = 0;
let painting = false;
let again = false;

function draw(value) {
  newest = value;
  paint();
}

function drawAnew() {
  outline = "";
  paint();
}

/** Shows the newest figure, one after the other: while lines move, plotly.js must not be told anything else. */
async function paint() {
  again = true;
  if (painting) return;
  painting = true;
  try {
    while (again) {
      again = false;
      await paintOnce();
    }
  } finally {
    painting = false;
  }
}

async function paintOnce() {
  clearTimeout(resting);
  const figure = newest ? JSON.parse(newest) : null;
  target.hidden = !figure;
  const before = outline;
  outline = figure && JSON.stringify([figure.layout, figure.data.map((trace) => ({ ...trace, y: 0 }))]);
  if (!figure) return;
  if (outline === before && figure.data.every(canMove)) await moveLines(figure);
  else drawWhole(figure);
}

/** Whether a trace is a line that fits the axis as it is. */
function canMove({ mode, yaxis, y }) {
  const { range, type } = target.layout.yaxis;
  const along = type === "log" ? Math.log10 : Number;
  return mode === "lines" && !yaxis && y.every((height) => along(height) >= range[0] && along(height) <= range[1]);
}

/** Draws the lines alone, which takes half as long as the figure; the axes follow when they rest. */
async function moveLines(figure) {
  const moved = { data: figure.data.map(({ y }) => ({ y })), traces: figure.data.map((_, index) => index) };
  const atOnce = { mode: "immediate", transition: { duration: 0 }, frame: { duration: 0, redraw: false } };
  requestAnimationFrame(countDrawing);  // the lines have moved when it begins, but plotly.js is not done yet
  resting = setTimeout(drawAnew, REST_MS);
  await window.Plotly.animate(target, moved, atOnce);
}

function drawWhole(figure) {
  target.setAttribute("aria-label", figure.layout.title.text);
  const layout = themed(figure.layout);
  target.style.height = `${layout.height}px`;  // when the window changes, plotly.js fills the height that there is
  window.Plotly.react(target, figure.data, layout, { displayModeBar: false, responsive: true });
  if (!listening) target.on("plotly_afterplot", clipWithoutAddress);
  listening = true;
  clipWithoutAddress();
  target.dataset.title = figure.layout.title.text;
  countDrawing();
}

function countDrawing() {
  target.dataset.drawn = Number(target.dataset.drawn || 0) + 1;
}

const drawOwn = live.part(props.part, draw, () => props.value);
watch("value", drawOwn);
new MutationObserver(drawAnew).observe(document.body, { attributes: true, attributeFilter: ["class", "data-lesson"] });
drawOwn();

// Presents the picture, saves it with its visible layers as an image, and embeds it in another page.

const SAVED_RATIO = 2;  // pixels of a PNG per CSS pixel

/** Returns the name of the step and of the picture. */
function describePicture() {
  return [document.body.dataset.step ?? "", view.alt].join(" ");
}

/** @param {"png" | "svg"} format */
function savePicture(format) {
  if (!picture) return;
  presenting.save(format === "png" ? pictureAsPng(picture) : pictureAsSvg(picture), describePicture(), format);
}

/** @param {HTMLImageElement} image */
function pictureAsPng(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(size.width * SAVED_RATIO), Math.round(size.height * SAVED_RATIO)];
  paintView(context(canvas), view, image, { ...camera, ratio: SAVED_RATIO }, isVisible);
  return canvas.toDataURL("image/png");
}

/** @param {HTMLImageElement} image */
function pictureAsSvg(image) {
  const drawing = new SvgContext(size);
  paintView(/** @type {CanvasRenderingContext2D} */ (/** @type {unknown} */ (drawing)), view, image,
    { ...camera, ratio: 1 }, isVisible);
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.toString())}`;
}

function presentPicture() {
  presenting.toggle(root, "picture");
}

function showPictureCode() {
  const shown = { embed: "picture", step: document.body.dataset.step ?? "" };
  const title = document.querySelector(".strip [aria-current] strong")?.textContent ?? "";
  toggleCode(codeField, () => frameCode(shown, `Picture: ${title}`));  // without its name, which others may not see
}

const [presentButton, codeField] = [find("present"), /** @type {HTMLInputElement} */ (find("code"))];
presentButton.addEventListener("click", presentPicture);
find("png").addEventListener("click", () => savePicture("png"));
find("svg").addEventListener("click", () => savePicture("svg"));
find("embed").addEventListener("click", showPictureCode);
find("embed").hidden = props.part !== "canvas";  // the address has the present picture
linkToPage(/** @type {HTMLAnchorElement} */ (find("full")));
document.addEventListener("presenting", () => {
  presentButton.setAttribute("aria-pressed", String(presenting.isShown(root)));
});
if (props.part === "canvas" && document.body.dataset.embed === "picture") presenting.embed(root);

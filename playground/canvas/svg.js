// The picture as an SVG file: the same painting, on a stand-in for a canvas's context that writes elements.

const DASHED = "dashed ";  // begins the style of a dashed line

/** What the painting of a view needs of a context. */
class SvgContext {
  /** @type {string | CanvasPattern} */
  strokeStyle = "#000";
  fillStyle = "#000";
  lineWidth = 1;
  globalAlpha = 1;
  font = "10px sans-serif";
  textBaseline = "alphabetic";
  imageSmoothingEnabled = true;
  /** @type {string[]} */
  #parts = [];
  #path = "";
  #rect = "";
  #clip = "";
  #transform = "";

  /** @param {Size} size CSS pixels */
  constructor(size) {
    this.canvas = size;
  }

  /** @param {number[]} matrix */
  setTransform(...matrix) {
    this.#transform = matrix.join(" ") === "1 0 0 1 0 0" ? "" : ` transform="matrix(${matrix.join(" ")})"`;
  }

  clearRect() {
    this.#parts = [];
  }

  beginPath() {
    this.#path = "";
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  moveTo(x, y) {
    this.#path += `M${x} ${y}`;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  lineTo(x, y) {
    this.#path += `L${x} ${y}`;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  rect(x, y, width, height) {
    this.#rect = `<rect ${placeAttributes(x, y, width, height)}/>`;
  }

  /** Clips what follows to the last `rect`, until `restore`. */
  clip() {
    const name = `clip${this.#parts.length}`;
    this.#parts.push(`<clipPath id="${name}">${this.#rect}</clipPath>`);
    this.#clip = ` clip-path="url(#${name})"`;
  }

  save() {}  // only the clip is restored, and nothing is clipped twice

  restore() {
    this.#clip = "";
  }

  stroke() {
    this.#add("path", `d="${this.#path}" ${this.#strokeStyle()}`);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  strokeRect(x, y, width, height) {
    this.#add("rect", `${placeAttributes(x, y, width, height)} ${this.#strokeStyle()}`);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  fillRect(x, y, width, height) {
    this.#add("rect", `${placeAttributes(x, y, width, height)} fill="${this.fillStyle}"`);
  }

  /**
   * @param {HTMLImageElement | HTMLCanvasElement} image
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  drawImage(image, x, y, width, height) {
    const address = "src" in image ? image.src : image.toDataURL();
    const sharp = this.imageSmoothingEnabled ? "" : ' style="image-rendering:pixelated"';
    this.#add("image", `${placeAttributes(x, y, width, height)} preserveAspectRatio="none"${sharp} href="${address}"`);
  }

  /** @param {string} text */
  measureText(text) {
    const ruler = context(document.createElement("canvas"));
    ruler.font = this.font;
    return ruler.measureText(text);
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   */
  fillText(text, x, y) {
    const style = `fill="${this.fillStyle}" style="font:${this.font}" dominant-baseline="central"`;
    this.#add("text", `x="${x}" y="${y}" ${style}`, escapeMarkup(text));
  }

  toString() {
    const { width, height } = this.canvas;
    const start = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`;
    return `${start} viewBox="0 0 ${width} ${height}">${this.#parts.join("\n")}</svg>`;
  }

  #strokeStyle() {
    const dashed = String(this.strokeStyle).startsWith(DASHED);
    const colour = dashed ? String(this.strokeStyle).slice(DASHED.length) : this.strokeStyle;
    return `fill="none" stroke="${colour}" stroke-width="${this.lineWidth}"${dashed ? ' stroke-dasharray="5 3"' : ""}`;
  }

  /**
   * @param {string} name
   * @param {string} attributes
   * @param {string} content
   */
  #add(name, attributes, content = "") {
    const faint = this.globalAlpha < 1 ? ` opacity="${this.globalAlpha.toFixed(3)}"` : "";
    this.#parts.push(`<${name} ${attributes}${faint}${this.#clip}${this.#transform}>${content}</${name}>`);
  }
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
function placeAttributes(x, y, width, height) {
  return `x="${x}" y="${y}" width="${width}" height="${height}"`;
}

// Decoding the component's value, and colours. Pure functions.

const VIRIDIS = ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725"];

/** @param {string} text base64 */
function decodeBytes(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** @param {string | null} text base64 of little-endian float32 */
function decodeFloats(text) {
  return text === null ? null : new Float32Array(decodeBytes(text).buffer);
}

/**
 * Decodes the component's value; an empty one is a view without a picture.
 *
 * @param {string} text JSON in which arrays are base64
 * @returns {View}
 */
function decodeView(text) {
  if (!text) {
    return {
      picture: null, width: 1, height: 1, layers: [], heat: null, classes: [], alt: "", editable: false, max_boxes: 0,
      class_colours: [], free_classes: false, class_suggestions: [], draw_first: false, rejected: [], max_classes: 0,
      max_name: 0, palette: [], pixels_key: "",
    };
  }
  const view = JSON.parse(text);
  for (const layer of view.layers) {
    for (const name of ["boxes", "values", "links"]) layer[name] = decodeFloats(layer[name]);
  }
  if (view.heat) view.heat.steps = decodeBytes(view.heat.values);
  return view;
}

/** @param {string} hex six digits */
function rgb(hex) {
  return [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

/**
 * Returns one channel of a heat map's colour: viridis, more opaque the higher the step.
 *
 * @param {number} step 0 … 255
 * @param {number} channel 0 … 3: red, green, blue, alpha
 */
function heatChannel(step, channel) {
  if (channel === 3) return 90 + step * 0.45;
  const position = (step / 255) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(position), VIRIDIS.length - 2);
  const [low, high] = [rgb(VIRIDIS[below])[channel], rgb(VIRIDIS[below + 1])[channel]];
  return low + (high - low) * (position - below);
}

/** The colour of each of the 256 steps of a heat map, as four bytes of an image. */
const HEAT_COLOURS = new Uint32Array(
  Uint8ClampedArray.from({ length: 4 * 256 }, (_, index) => heatChannel(index >> 2, index % 4)).buffer,
);

/** @param {string} colour "#rrggbb" */
function isDark(colour) {
  const [red, green, blue] = rgb(colour.slice(1));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 100;
}

/**
 * Returns the colour in which text on a colour is readable.
 *
 * @param {string} colour "#rrggbb"
 */
function contrast(colour) {
  return isDark(colour) ? "#fff" : "#000";
}

/**
 * Returns a number with some digits; a very small or very large one as people write it: 2.63·10⁻⁷.
 *
 * @param {number} value
 * @param {number} digits
 */
function formatNumber(value, digits) {
  if (value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6)) return value.toPrecision(digits);
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const raised = [...String(Number(exponent))].map((each) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(each)]);
  return `${mantissa}·10${raised.join("")}`;
}

/**
 * Creates a button with a text.
 *
 * @param {string} text
 * @param {() => void} act
 */
function createButton(text, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

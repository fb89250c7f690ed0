// Shows only the knobs whose name or help contains what is typed.
const input = /** @type {HTMLInputElement} */ (element.querySelector("input"));

input.addEventListener("input", () => {
  const wanted = input.value.trim().toLowerCase();
  for (const knob of document.querySelectorAll(".knob")) {
    const note = knob.querySelector(".idle-note")?.textContent ?? "";  // which names other knobs
    knob.classList.toggle("not-found", !knob.textContent.replace(note, "").toLowerCase().includes(wanted));
  }
  for (const group of document.querySelectorAll(".of-step")) {
    group.classList.toggle("not-found", !group.querySelector(".knob:not(.not-found)"));
  }
});

"""Finding a knob among all of them, by its name or a word of its help; it happens in the browser alone."""

import gradio as gr

SCRIPT = """
const input = element.querySelector("input");
input.addEventListener("input", () => {
  const wanted = input.value.trim().toLowerCase();
  for (const knob of document.querySelectorAll(".knob"))
    knob.classList.toggle("not-found", !knob.textContent.toLowerCase().includes(wanted));
  for (const group of document.querySelectorAll(".of-step"))
    group.classList.toggle("not-found", !group.querySelector(".knob:not(.not-found)"));
});
"""


def search() -> gr.HTML:
    """Builds the field; it shows with all knobs."""
    template = '<div class="search"><input type="search" aria-label="Find a knob" placeholder="Find a knob …"></div>'
    return gr.HTML("", html_template=template, js_on_load=SCRIPT, apply_default_css=False)

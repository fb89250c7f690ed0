"""The first screen: the loss step in another arrangement (`assets/style/story.css`), with a play button and a sentence.

A button that moves γ, a bar of who pays, one sentence with live numbers, and three ways on, which are those of the
header.
"""

import gradio as gr

from playground.lessons.panel import format_minutes
from playground.lessons.parser import lessons
from playground.support.scripts import read_scripts

SCRIPT = read_scripts("layout/story.js")
TEMPLATE = """
<div class="story">
  <button type="button" class="story-play" aria-describedby="story-sentence">
    <span class="story-icon" aria-hidden="true">▶</span> <span class="story-verb">Play</span>
  </button>
  <div class="story-shares">
    <div class="story-bar" role="img"></div>
    <ul class="story-keys" aria-hidden="true"></ul>
  </div>
  <div class="story-words">
    <p class="story-sentence" id="story-sentence"></p>
    <p class="story-note"></p>
  </div>
  <div class="story-said" role="status"></div>
  <nav class="story-ways" aria-label="Ways on">%s</nav>
</div>
"""
# `press` selects the control of the header that does the same.
WAY = '<button type="button" data-press="{}"><strong>{}</strong> <span>{}</span></button>'


def story() -> gr.HTML:
    """Builds the component, empty."""
    every = lessons().values()
    core = [each for each in every if each.core]
    ways = (
        (
            "#lessons [data-choose]",
            "Take the lessons",
            f"{format_minutes(*core)} for focal loss itself, {format_minutes(*every)} for all {len(every)}",
        ),
        ("#explore", "Explore freely", "Every step and every knob"),
        ("#my-pictures", "Use my own pictures", "Draw a few boxes, train a detector"),
    )
    return gr.HTML(
        "",
        part="story",
        html_template=TEMPLATE % "".join(WAY.format(*way) for way in ways),
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_classes=["story-block"],
    )

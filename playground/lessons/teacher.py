"""The teacher's panel: hides controls, picks the steps to go through, copies the link, and presents the lesson."""

import json

import gradio as gr

from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.steps import STEPS
from playground.support.scripts import read_scripts

SCRIPT = read_scripts("components/button.js", "lessons/teacher.js")
# Further controls that can be hidden, by id; a link may also hide single knobs: see `playground.server.permalink`.
HIDE = {
    "lessons": "Lessons",
    "explore": "Explore",
    "my-pictures": "My pictures",
    "all-knobs": "All knobs",
    "share": "Share",
    "pin": "Compare: keep this as A",
}


def teacher_panel() -> gr.HTML:
    """Builds the panel, closed."""
    hide = [(key, step.title) for key, step in STEPS.items()] + list(HIDE.items())
    ways = [
        {
            "title": lesson.title,
            "steps": [(LessonPosition(lesson, at).link, each.title) for at, each in enumerate(lesson.steps)],
        }
        for lesson in lessons().values()
    ]
    return gr.HTML(
        json.dumps({"hide": hide, "lessons": ways}),
        html_template='<details class="lesson-teacher"><summary>For teachers</summary></details>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id="part-teacher",
    )

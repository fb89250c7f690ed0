"""What stands where on the page, before anything happens."""

from collections.abc import Callable
from typing import NamedTuple

import gradio as gr

from core.anchors import LEVELS
from core.config import Config, knobs
from core.knobs import Effect
from core.presets import PRESETS
from core.takeaway import FORMATS
from playground import readout
from playground.asked import P_T_RANGE
from playground.canvas import canvas
from playground.controls import make_widget, settings_of
from playground.examples import EXAMPLES
from playground.fitting import FIT_TO
from playground.lessons.panel import Panel, chooser, panel
from playground.notice import notice
from playground.plot import plot
from playground.search import search
from playground.steps import STEPS
from playground.steps.loss import FIGURES
from playground.strip import strip

LINK = "link"  # beside the formats that settings can be taken home in
TICK_SECONDS = 0.5  # between looks at a training run


class Parts(NamedTuple):
    """The components that events read and write."""

    notice: gr.HTML
    strip: gr.HTML
    canvas: gr.HTML
    readout: gr.HTML
    figure: gr.HTML
    more: gr.HTML

    step: gr.State
    own: gr.State
    pick: gr.State
    run: gr.State
    lesson: gr.State
    timer: gr.Timer
    level: gr.Dropdown
    settings: gr.Textbox
    curve: gr.Dropdown
    p_t: gr.Slider
    knobs: dict[str, gr.components.Component]
    buttons: dict[str, gr.components.Component]
    panel: Panel

    @property
    def shown(self) -> list:
        """What `show` gives new values, in the order of `Shown`."""
        return [self.notice, self.strip, self.canvas, self.readout, self.figure, self.more]

    @property
    def asked(self) -> list:
        """What `show` needs, in the order of `Asked`."""
        return [self.step, self.own, self.pick, self.run, self.level, self.settings, self.lesson, self.curve, self.p_t]

    @property
    def all_settings(self) -> list:
        """What new settings go to: the text that keeps them, and the widgets that show them."""
        return [self.settings, *self.knobs.values()]


def lay_out() -> Parts:
    """Builds all components, inside the `gr.Blocks` that is open."""
    buttons = _header()
    navigation, message, lesson = strip(), notice(), panel()
    with gr.Row(elem_classes=["layout"]):
        with gr.Column(elem_classes=["left"], min_width=280, scale=3):
            search()
            widgets, more = _knob_columns()
        with gr.Column(elem_classes=["middle"], min_width=320, scale=6):
            view = canvas()
        with gr.Column(elem_classes=["right"], min_width=280, scale=4):
            level, numbers = _level(), readout.component()
            curve, p_t = _loss_view()
            under = plot(), readout.component()
    states = [gr.State(next(iter(STEPS))), gr.State(None), gr.State(None), gr.State(""), gr.State("")]
    timer = gr.Timer(TICK_SECONDS, active=False)
    settings = gr.Textbox(settings_of(Config()), visible="hidden")
    more |= buttons
    return Parts(
        message, navigation, view, numbers, *under, *states, timer, level, settings, curve, p_t, widgets, more, lesson
    )


def _level() -> gr.Dropdown:
    choices = [(name, index) for index, name in enumerate(LEVELS)]
    classes = ["needs-level"]
    return gr.Dropdown(choices, value=0, label="Pyramid level on show", elem_id="level", elem_classes=classes)


def _loss_view() -> tuple[gr.Dropdown, gr.Slider]:
    classes = ["needs-loss"]
    curve = gr.Dropdown(
        list(FIGURES), value=FIGURES[0], label="Curve", show_label=False, elem_id="curve", elem_classes=classes
    )
    p_t = gr.Slider(
        *P_T_RANGE, value=0.9, step=0.001, label="p_t of one example", elem_id="example", elem_classes=classes
    )
    return curve, p_t


def _header() -> dict[str, gr.Button]:
    with gr.Row(elem_classes=["header"]):
        gr.Markdown("# RetinaNet Playground\nTake a detector apart: every knob moves something you can see.")
        return {
            "lessons": chooser(),
            "all": gr.Button("All knobs", size="sm", elem_id="all-knobs"),
            "format": gr.Dropdown(
                [LINK, *FORMATS], value=LINK, show_label=False, label="What to copy", elem_id="format", min_width=120
            ),
            "copy": gr.Button("Copy", size="sm", min_width=60),
            "copied": gr.Textbox(visible="hidden"),
            "undo": gr.Button("Undo", size="sm", min_width=60),
            "redo": gr.Button("Redo", size="sm", min_width=60),
            "reset": gr.Button("Reset", size="sm", min_width=80),
            "theme": gr.Button("Light / dark", size="sm", min_width=80),
        }


def _knob_columns() -> tuple[dict[str, gr.components.Component], dict[str, gr.components.Component]]:
    """Returns the widgets of all hyperparameters by path, in declared order, and the buttons by name."""
    made: dict[str, gr.components.Component] = {}
    buttons: dict[str, gr.components.Component] = {}
    defaults = Config().to_flat()
    for key, step in STEPS.items():
        with gr.Column(elem_classes=["of-step", f"of-{key}"], elem_id=f"knobs-{key}"):
            gr.Markdown(f"## {step.title}\n{step.about}")
            buttons |= BUTTONS.get(key, dict)()
            mine = [knob for knob in knobs().values() if step.has(knob)]
            for knob in sorted(mine, key=lambda knob: knob.effect != Effect.DATA):  # the dials of a scene come first
                made[knob.path] = make_widget(knob, defaults[knob.path])
    return {path: made[path] for path in knobs()}, buttons


def _picture_buttons() -> dict[str, gr.components.Component]:
    with gr.Row():
        another = gr.Button("Another scene", variant="primary", size="sm", min_width=80)
        upload = gr.UploadButton("Upload a picture", file_types=["image"], size="sm", min_width=80)
    example = gr.Dropdown(list(EXAMPLES), value=next(iter(EXAMPLES)), label="Examples", interactive=True)
    return {"another": another, "upload": upload, "example": example}


def _network_buttons() -> dict[str, gr.components.Component]:
    endings = [".safetensors", ".pth", ".pt"]
    return {"weights": gr.UploadButton("Upload weights", file_types=endings, size="sm", min_width=80)}


def _anchor_buttons() -> dict[str, gr.components.Component]:
    whose = gr.Dropdown(list(FIT_TO), value=FIT_TO[0], label="Objects to fit", elem_id="fit-to")
    return {"fit_to": whose, "fit": gr.Button("Look for better scales and ratios", size="sm", min_width=80)}


def _training_buttons() -> dict[str, gr.components.Component]:
    with gr.Row():
        start = gr.Button("Start", variant="primary", size="sm", min_width=80)
        stop = gr.Button("Stop", size="sm", min_width=80)
    use = gr.Button("Use its weights in all steps", size="sm", min_width=80)
    choices = [(preset.title, key) for key, preset in PRESETS.items()]
    preset = gr.Dropdown(choices, value=choices[0][1], label="Short runs to compare", elem_id="preset")
    compare = gr.Button("Compare", size="sm", min_width=80)
    return {"start": start, "stop": stop, "use": use, "preset": preset, "compare": compare}


BUTTONS: dict[str, Callable[[], dict]] = {
    "picture": _picture_buttons,
    "network": _network_buttons,
    "anchors": _anchor_buttons,
    "training": _training_buttons,
}

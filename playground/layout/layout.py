"""What stands where on the page, before anything happens."""

from typing import NamedTuple

import gradio as gr

from core.config import Config, Effect, knobs
from core.export.settings import FORMATS
from playground.canvas.canvas import canvas
from playground.components import html
from playground.components.knob_search import search
from playground.components.notice import notice
from playground.components.plot import plot
from playground.evaluations.query import EvaluationQuery
from playground.layout.knob_widgets import make_widget
from playground.layout.runs_table import run_view
from playground.layout.source_bar import source_bar
from playground.layout.step_controls import BUTTONS
from playground.layout.strip import strip
from playground.lessons.panel import Panel, chooser, panel
from playground.runs.table_api import runs
from playground.state.page_state import P_T_RANGE
from playground.state.settings import settings_of
from playground.steps import STEPS
from playground.steps.loss.curves import EXAMPLE_DRAG
from playground.steps.loss.step import FIGURES
from playground.steps.step import MAPS

LINK = "link"  # beside the formats that settings can be taken home in


class Parts(NamedTuple):
    """The components that events read and write."""

    notice: gr.HTML
    strip: gr.HTML
    canvas: gr.HTML
    readout: gr.HTML
    figure: gr.HTML
    more: gr.HTML
    changes: gr.HTML
    side: gr.Column
    other: gr.HTML
    counts: gr.HTML
    bar: gr.HTML

    step: gr.State
    user_picture: gr.State
    pick: gr.State
    run: gr.Dropdown
    lesson: gr.State
    level: gr.State
    settings: gr.Textbox
    curve: gr.Dropdown
    p_t: gr.Slider
    map: gr.State
    pinned: gr.State
    pinned_picture: gr.State
    beside: gr.State
    frame: gr.Number  # what the film's slider shows; its own value would be refused once the film is another one
    evaluation_query: gr.State
    answer: gr.State
    film: gr.Slider
    knobs: dict[str, gr.components.Component]
    buttons: dict[str, gr.components.Component]
    panel: Panel

    @property
    def shown(self) -> list:
        """What `show` gives new values, in the order of `PageUpdate`."""
        first = [self.notice, self.strip, self.canvas, self.readout, self.figure, self.more]
        last = [self.changes, self.side, self.other, self.counts, self.bar]
        return [*first, *last, self.panel.question, self.panel.checks]

    @property
    def state(self) -> list:
        """What `show` needs, in the order of `PageState`."""
        first = [
            self.step,
            self.user_picture,
            self.pick,
            self.run,
            self.level,
            self.settings,
            self.lesson,
            self.curve,
            self.p_t,
        ]
        last = [self.frame, self.evaluation_query, self.answer]
        return [*first, self.map, self.pinned, self.pinned_picture, self.beside, *last]

    @property
    def all_settings(self) -> list:
        """What new settings go to: the text that keeps them, and the widgets that show them."""
        return [self.settings, *self.knobs.values()]


def lay_out() -> Parts:
    """Builds all components, inside the `gr.Blocks` that is open."""
    buttons = _header()
    navigation, message = strip(), notice()
    changes, pinning = _pinned_bar()
    with gr.Row(elem_classes=["layout"]):
        with gr.Column(elem_classes=["left"], min_width=280, scale=3):
            lesson = panel()
            search()
            widgets, more = _knob_columns()
        with gr.Column(elem_classes=["middle"], min_width=320, scale=6):
            bar = source_bar()
            view, side, other = _pictures()
            film = gr.Slider(1, 2, value=1, step=1, label="Evaluation", visible="hidden", elem_id="frame")
            counts = html.component("counts", "numbers counts")
        with gr.Column(elem_classes=["right"], min_width=280, scale=4):
            numbers = html.component("readout", "numbers readout")
            curve, p_t = _loss_view()
            under = plot("figure"), html.component("more", "numbers readout")
    run_view(runs)
    states = [gr.State(next(iter(STEPS))), gr.State(None), gr.State(None), more.pop("run"), gr.State("")]
    settings = gr.Textbox(settings_of(Config()), visible="hidden", elem_id="settings")
    level, pins = gr.State(0), [gr.State(""), gr.State(None), gr.State(False)]
    shown = [message, navigation, view, numbers, *under, changes, side, other, counts, bar]
    state = [*states, level, settings, curve, p_t, gr.State(MAPS[0]), *pins, gr.Number(1, visible="hidden")]
    state += [gr.State(EvaluationQuery()), gr.State(None)]
    return Parts(*shown, *state, film, widgets, more | buttons | pinning, lesson)


def _pinned_bar() -> tuple[gr.HTML, dict[str, gr.Button]]:
    with gr.Row(elem_classes=["pinned-bar"]):
        changes = html.component("changes", "changes")
        return changes, {
            "beside": gr.Button("Side by side", size="sm", min_width=80, elem_id="beside"),
            "to_pinned": gr.Button("Back to A", size="sm", min_width=80),
            "unpin": gr.Button("Unpin", size="sm", min_width=80),
        }


def _pictures() -> tuple[gr.HTML, gr.Column, gr.HTML]:
    """Returns the picture, and the column with the one under pinned settings, which is there only while it is shown."""
    with gr.Row(elem_classes=["pictures"]):
        with gr.Column(elem_classes=["side-b"], min_width=280):
            view = canvas("canvas")
        with gr.Column(elem_classes=["side-a"], min_width=280, visible=False) as side:
            other = canvas("other")
    return view, side, other


def _loss_view() -> tuple[gr.Dropdown, gr.Slider]:
    """Returns what only the loss step has: `playground.page` hides them elsewhere."""
    curve = gr.Dropdown(list(FIGURES), value=FIGURES[0], label="Curve", show_label=False, elem_id="curve")
    gr.HTML(
        "", html_template="<i hidden></i>", js_on_load=EXAMPLE_DRAG, apply_default_css=False, elem_classes=["nothing"]
    )
    return curve, gr.Slider(*P_T_RANGE, value=0.9, step=0.001, label="p_t of one example", elem_id="example")


def _header() -> dict[str, gr.Button]:
    with gr.Row(elem_classes=["header"]):
        gr.Markdown("# RetinaNet Playground\nEvery knob moves something you can see.")
        return {
            "lessons": chooser(),
            "all": gr.Button("All knobs", size="sm", elem_id="all-knobs"),
            "format": gr.Dropdown(
                [LINK, *FORMATS], value=LINK, show_label=False, label="What to copy", elem_id="format", min_width=120
            ),
            "copy": gr.Button("Copy", size="sm", min_width=60),
            "copied": gr.Textbox(visible="hidden"),
            "pin": gr.Button("Pin as A", size="sm", min_width=60, elem_id="pin"),
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
            with gr.Row(elem_classes=["of-step-head"]):
                gr.Markdown(f"## {step.title}")
                label = f"Reset {step.title.lower()}"
                buttons[f"reset-{key}"] = gr.Button(label, size="sm", min_width=60, elem_classes=["reset-group"])
            gr.Markdown(step.about)
            buttons |= BUTTONS.get(key, dict)()
            mine = [knob for knob in knobs().values() if step.has(knob)]
            for knob in sorted(mine, key=lambda knob: knob.effect != Effect.DATA):  # the dials of a scene come first
                made[knob.path] = make_widget(knob, defaults[knob.path])
    return {path: made[path] for path in knobs()}, buttons

"""The page: which components it has, and where each of them is."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from core.config import Config, Effect, knobs
from playground.canvas.canvas import canvas
from playground.components import html
from playground.components.dials import dials
from playground.components.knob_search import search
from playground.components.notice import notice
from playground.components.plot import plot
from playground.evaluations.query import EvaluationQuery
from playground.layout import step_controls as build
from playground.layout.banner import banner
from playground.layout.components import LossControls, PageComponents, PinControls, StepControls
from playground.layout.header import build_header
from playground.layout.knob_notes import knob_notes
from playground.layout.knob_widgets import KnobWidget, make_widget
from playground.layout.runs_table import run_view
from playground.layout.source_bar import source_bar
from playground.layout.story import story
from playground.layout.strip import strip
from playground.lessons.panel import build_panel
from playground.pipeline.downloads import download
from playground.runs.table_api import runs
from playground.state.page_state import P_T_RANGE
from playground.state.settings import settings_of
from playground.steps import STEPS
from playground.steps.dials import MAX_TEXT
from playground.steps.loss.curves import EXAMPLE_DRAG
from playground.steps.loss.step import FIGURES
from playground.steps.step import MAPS, Suggesting

BUILDERS: dict[str, Callable[[], Any]] = {
    "picture": build.picture_controls,
    "network": build.network_controls,
    "anchors": build.anchor_controls,
    "training": build.training_controls,
    "evaluation": build.evaluation_controls,
}


def lay_out() -> PageComponents:
    """Builds all components inside the open `gr.Blocks`."""
    header = build_header()
    parts: dict[str, gr.HTML] = {"strip": strip(), "notice": notice()}
    parts["changes"], pins = _pinned_bar()
    with gr.Row(elem_classes=["layout"]):
        with gr.Column(elem_classes=["left"], elem_id="knobs", min_width=280, scale=3):
            lesson = build_panel()
            search()
            widgets, controls_by_step, resets = _knob_columns()
        with gr.Column(elem_classes=["middle"], min_width=320, scale=6):
            parts["bar"] = source_bar()
            parts["banner"] = banner(download)
            parts["canvas"], side, parts["other"] = _pictures()
            parts["caption"] = html.component("caption", "caption")
            film = gr.Slider(1, 2, value=1, step=1, label="Evaluation", visible="hidden", elem_id="frame")
            parts["counts"] = html.component("counts", "numbers counts")
        parts["story"] = story()
        with gr.Column(elem_classes=["right"], min_width=280, scale=4):
            parts["readout"] = html.component("readout", "numbers readout")
            loss = _loss_controls()
            parts["figure"], parts["dials"] = plot("figure"), dials("dials")
            parts["more"] = html.component("more", "numbers readout")
    parts["idle"] = knob_notes({"frame": film, "example": loss.p_t})
    run_view(runs)
    parts |= {"lesson": lesson.question, "checks": lesson.checks, "album": controls_by_step["picture"].album}
    controls = StepControls(**controls_by_step, loss=loss, resets=resets)
    settings = gr.Textbox(settings_of(Config()), visible="hidden", elem_id="settings")
    state = _state(controls, settings)
    return PageComponents(parts, side, state, settings, widgets, film, header, pins, controls, lesson)


def _state(controls: StepControls, settings: gr.Textbox) -> dict[str, Component]:
    """Returns the components that hold the page's state, by field of `PageState`, in its order."""
    return {
        "step": gr.State(next(iter(STEPS))),
        "user_picture": gr.State(None),
        "pick": gr.State(None),
        "run": controls.training.run,
        "level": gr.State(0),
        "settings": settings,
        "lesson": gr.State(""),
        "curve": controls.loss.curve,
        "p_t": controls.loss.p_t,
        "map": gr.State(MAPS[0]),
        "pinned": gr.State(""),
        "pinned_picture": gr.State(None),
        "beside": gr.State(False),
        # The film's own value would be refused after a switch to a shorter film.
        "frame": gr.Number(1, visible="hidden"),
        "evaluation_query": gr.State(EvaluationQuery()),
        "answer": gr.State(None),
        "suggesting": gr.State(Suggesting()),
        "story": gr.State(False),
        "dials": gr.Textbox("", visible="hidden", elem_id="dials", max_length=MAX_TEXT),
    }


def _pinned_bar() -> tuple[gr.HTML, PinControls]:
    with gr.Row(elem_classes=["pinned-bar"]):
        changes = html.component("changes", "changes")
        return changes, PinControls(
            beside=gr.Button("Side by side", size="sm", min_width=80, elem_id="beside"),
            to_pinned=gr.Button("Back to A", size="sm", min_width=80),
            unpin=gr.Button("Unpin", size="sm", min_width=80),
        )


def _pictures() -> tuple[gr.HTML, gr.Column, gr.HTML]:
    """Returns the picture, the column of the pinned picture, which is hidden at first, and the pinned picture."""
    with gr.Row(elem_classes=["pictures"]):
        with gr.Column(elem_classes=["side-b"], min_width=280):
            view = canvas("canvas")
        with gr.Column(elem_classes=["side-a"], min_width=280, visible=False) as side:
            other = canvas("other")
    return view, side, other


def _loss_controls() -> LossControls:
    """Returns the controls that only the loss step has; `playground.page` hides them in the others."""
    curve = gr.Dropdown(list(FIGURES), value=FIGURES[0], label="Curve", show_label=False, elem_id="curve")
    gr.HTML(
        "", html_template="<i hidden></i>", js_on_load=EXAMPLE_DRAG, apply_default_css=False, elem_classes=["nothing"]
    )
    p_t = gr.Slider(*P_T_RANGE, value=0.9, step=0.001, label="pₜ of one example", elem_id="example")
    return LossControls(curve, p_t)


def _knob_columns() -> tuple[dict[str, KnobWidget], dict[str, Any], dict[str, gr.Button]]:
    """Returns the widgets by path, in declared order, and by step its controls and its reset button."""
    widgets: dict[str, KnobWidget] = {}
    controls: dict[str, Any] = {}
    resets: dict[str, gr.Button] = {}
    defaults = Config().to_flat()
    for key, step in STEPS.items():
        with gr.Column(elem_classes=["of-step", f"of-{key}"], elem_id=f"knobs-{key}"):
            with gr.Row(elem_classes=["of-step-head"]):
                gr.Markdown(f"## {step.title}")
                label = f"Reset {step.title.lower()}"
                resets[key] = gr.Button(label, size="sm", min_width=60, elem_classes=["reset-group"])
            gr.Markdown(step.about)
            if key in BUILDERS:
                controls[key] = BUILDERS[key]()
            mine = [knob for knob in knobs().values() if step.has_knob(knob)]
            for knob in sorted(mine, key=lambda knob: knob.effect != Effect.DATA):  # the scene's knobs come first
                widgets[knob.path] = make_widget(knob, defaults[knob.path])
    return {path: widgets[path] for path in knobs()}, controls, resets

"""The page: built, wired and told how to launch."""

import atexit
import gc
from typing import Any

import gradio as gr

from core.io.paths import ASSETS
from playground.components.plot import head as plot_head
from playground.data.datasets import DATA
from playground.evaluations.jobs import EVALUATIONS
from playground.events import navigation, settings
from playground.events.data import connect_data
from playground.events.evaluation import connect_evaluation
from playground.events.export import connect_take_home
from playground.events.lessons import connect_lessons
from playground.events.picture import connect_picture
from playground.events.pinning import connect_pinning
from playground.events.training import connect_training
from playground.layout.layout import lay_out
from playground.runs.service import RUNS
from playground.server import live
from playground.server.live_api import answers
from playground.steps import STEPS
from playground.support.visitors import HEAD

DELETE_CACHE = (3600, 86400)  # every hour, uploads older than a day, seconds
STYLES = ASSETS / "style"
STYLED = ("page", "layout", "numbers", "lesson", "runs", "touch")  # what comes later may change what was said before


def build_page() -> gr.Blocks:
    """Builds the page; `launch_options` says how to launch it."""
    DATA.protect(lambda kept: RUNS.is_using(str(kept.folder)), lambda kept: EVALUATIONS.is_using(kept.name))
    title = "RetinaNet Playground"
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True, delete_cache=DELETE_CACHE) as page:
        parts = lay_out()
        navigation.connect_address(page, parts)
        navigation.connect_resets(parts)
        navigation.connect_header(parts)
        settings.connect_settings(parts)
        connect_picture(parts)
        settings.connect_weights(parts)
        settings.connect_anchors(parts)
        connect_data(page, parts)
        connect_take_home(parts)
        connect_training(parts)
        connect_evaluation(parts)
        connect_pinning(parts)
        connect_lessons(parts)
    gc.freeze()  # what is here now stays: looking through it for garbage stopped all answers for 0.3 s, now and then
    atexit.register(gc.unfreeze)  # what stays frozen is never freed, which Triton's bindings report as leaks at the end
    return page


def launch_options() -> dict[str, Any]:
    """Returns the options of `launch` that make the page look and behave as meant."""
    theme = gr.themes.Soft(primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return {
        "theme": theme.set(
            block_title_background_fill="transparent",
            block_title_background_fill_dark="transparent",
            block_title_text_color="*body_text_color",
            block_title_text_color_dark="*body_text_color",
            block_title_padding="0",
            input_border_width="1px",
            input_border_color="*neutral_300",
            input_border_color_dark="*neutral_600",
            checkbox_border_color="*neutral_500",
            checkbox_border_color_dark="*neutral_400",
            checkbox_label_background_fill_selected="*primary_600",  # as below
            checkbox_label_background_fill_selected_dark="*primary_600",
            button_border_width="1px",
            button_secondary_background_fill_hover_dark="*primary_600",
            button_primary_background_fill="*primary_600",  # white on the theme's own blue is too faint
            button_primary_background_fill_hover="*primary_700",
            button_primary_background_fill_hover_dark="*primary_700",
            button_secondary_border_color="*neutral_300",
            button_secondary_border_color_dark="*neutral_600",
        ),
        "css": "".join((STYLES / f"{name}.css").read_text("utf-8") for name in STYLED) + _step_styles(),
        "head": HEAD + live.head() + plot_head(),
        "app_kwargs": {"routes": [live.route(answers)]},
        "max_file_size": "512mb",  # of weights; pictures have their own bound
        "enable_monitoring": False,
        "footer_links": [],
        "run_history": False,
        # Where the first page takes three seconds, as on a busy machine, Gradio would take it for unreachable and end.
        "_frontend": False,
    }


def _step_styles() -> str:
    """Shows the knobs of the chosen step only, unless all are asked for."""
    rules = ['body:not([data-step="training"]) #frame { display: none !important; }']
    for key in STEPS:
        rules.append(f'body[data-step="{key}"]:not([data-all]) .of-step:not(.of-{key}) {{ display: none !important; }}')
        if key != "loss":
            rules.append(f'body[data-step="{key}"] .right > .form {{ display: none !important; }}')
    return "\n".join(rules)

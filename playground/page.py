"""The page: its components, connected to their events, and the options to launch it with."""

import atexit
import gc
from typing import Any

import gradio as gr

from core.io.paths import ASSETS
from playground.access.events import PageBlocks
from playground.access.hosts import KnownHosts
from playground.access.options import app_options
from playground.albums.service import ALBUMS
from playground.components import opening
from playground.components.plot import head as plot_head
from playground.data.datasets import DATA
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.of_albums import AlbumEvaluations
from playground.events.album import connect_album
from playground.events.data.sets import connect_data
from playground.events.evaluation import connect_evaluation
from playground.events.export import connect_export
from playground.events.lessons import connect_lessons
from playground.events.navigation import connect_address, connect_header
from playground.events.picture import connect_picture
from playground.events.pinning import connect_pinning
from playground.events.settings import (
    connect_anchors,
    connect_resets,
    connect_settings,
    connect_strip,
)
from playground.events.teaching import connect_teaching
from playground.events.training import connect_training
from playground.events.weights import connect_weights
from playground.layout.knob_widgets import element_id
from playground.layout.layout import lay_out
from playground.runs.of_albums import AlbumRuns, is_trained_on
from playground.runs.service import RUNS
from playground.server import live
from playground.server.live_api import answer, is_heavy
from playground.steps import STEPS
from playground.steps.step import Step
from playground.support.visitors import HEAD

MAX_SESSIONS = 500  # windows whose state Gradio keeps, half a megabyte each and for ever: by default, 10,000
DELETE_CACHE = (3600, 86400)  # every hour, uploads older than a day, seconds
STYLES = ASSETS / "style"
# Later ones override earlier ones.
STYLE_SHEETS = ("page", "knobs", "layout", "story", "numbers", "dials", "lesson", "runs", "banner", "pictures", "touch")
HEAD_STYLE_SHEETS = ("present",)  # Gradio does not rewrite their rules: they may name `body` inside @media


def build_page() -> gr.Blocks:
    """Builds the page; `launch_options` returns the options to launch it with."""
    DATA.protect(lambda stored: RUNS.is_using(str(stored.folder)))
    # Evaluations first: which weights were trained on an album is known as long as their runs are there.
    ALBUMS.follow(AlbumEvaluations(EVALUATIONS, is_trained_on), AlbumRuns(RUNS))
    ALBUMS.needed_by = lambda folder: RUNS.refers_to(str(folder))
    title = "RetinaNet Playground"
    with PageBlocks(title=title, analytics_enabled=False, fill_width=True, delete_cache=DELETE_CACHE) as blocks:
        page = lay_out()
        holders = connect_training(page)
        connect_address(page, blocks, holders)
        connect_header(page)
        connect_resets(page)
        connect_settings(page)
        connect_strip(page)
        connect_picture(page)
        connect_album(page)
        connect_weights(page)
        connect_anchors(page)
        connect_data(page, blocks)
        connect_export(page)
        connect_teaching(page, holders)
        connect_evaluation(page)
        connect_pinning(page)
        connect_lessons(page, blocks)
    gc.freeze()  # these objects stay: scanning them for garbage stopped all answers for 0.3 s at times
    # Frozen objects are never freed, and the bindings of Triton report them as leaks when the process ends.
    atexit.register(gc.unfreeze)
    return blocks


def launch_options(hosts: KnownHosts | None = None) -> dict[str, Any]:
    """Returns the options of `gr.Blocks.launch`: address, theme, scripts, routes and limits.

    Args:
        hosts: The address to listen on and the names under which the page is opened; None for this machine alone.
    """
    hosts = hosts or KnownHosts()
    return {
        "server_name": hosts.listening,
        "theme": _theme(),
        "css": _read_styles(STYLE_SHEETS) + _step_styles(),
        "head": f"{HEAD}{opening.head()}{live.head()}{plot_head()}<style>{_read_styles(HEAD_STYLE_SHEETS)}</style>",
        "app_kwargs": app_options(hosts, [live.route(answer, is_heavy)]),
        "max_file_size": "512mb",  # of weights; pictures have a smaller bound
        "state_session_capacity": MAX_SESSIONS,
        "enable_monitoring": False,
        "footer_links": [],
        "run_history": False,
        # Gradio would report the page as unreachable and exit if the first response took three seconds.
        "_frontend": False,
    }


def _theme() -> gr.themes.Base:
    """Returns the theme: text and borders with the contrast that WCAG AA asks for."""
    theme = gr.themes.Soft(primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return theme.set(
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
        button_primary_background_fill="*primary_600",  # white text needs a darker blue than the theme's
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_600",
    )


def _read_styles(names: tuple[str, ...]) -> str:
    return "".join((STYLES / f"{name}.css").read_text("utf-8") for name in names)


def _step_styles() -> str:
    """Returns style rules that hide the knobs of all steps but the chosen one, unless all knobs are shown."""
    rules = ['body:not([data-step="training"]) #frame { display: none !important; }']
    for key, step in STEPS.items():
        rules += _embedded_styles(key, step)
        rules.append(f'body[data-step="{key}"]:not([data-all]) .of-step:not(.of-{key}) {{ display: none !important; }}')
        if key != "loss":
            rules.append(f'body[data-step="{key}"] .right > .form {{ display: none !important; }}')
    return "\n".join(rules)


def _embedded_styles(key: str, step: Step) -> list[str]:
    """Returns style rules that leave an embedded figure, or the embedded picture, one slider at most."""
    group, slider = f'body[data-embed][data-step="{key}"] .of-{key}', element_id(step.slider)
    if not step.slider:
        return [f"{group} {{ display: none !important; }}"]
    return [  # the knobs come last in their group; a form of other controls would be left as an empty frame
        f"{group} > :not(.form:last-child) {{ display: none !important; }}",
        f"{group} .form > :not(#{slider}) {{ display: none !important; }}",
    ]

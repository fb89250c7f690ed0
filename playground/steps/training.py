"""The training step: a short run on generated scenes or a data set, with its losses, AP and detections."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from core.config import POSTPROCESSING, Config, knobs
from core.errors import UserError
from core.io.text import count_noun
from core.runs.step_changes import StepChanges, read_step_changes
from playground.components import html
from playground.components.figures import Figure
from playground.data.image_ref import is_from_data_set
from playground.pipeline.pipeline import Pipeline
from playground.runs.curves import build_run_figure
from playground.runs.privacy import find_runs
from playground.runs.progress import RunProgress
from playground.runs.reader import read_picture
from playground.runs.seen import count_held_out_seen
from playground.runs.service import RUNS
from playground.runs.summary import build_changes, build_status
from playground.steps.atlas.view import MOVES, build_atlas
from playground.steps.augmented import build_strip
from playground.steps.comparison import view
from playground.steps.comparison.measured import show_measured
from playground.steps.dials import CLASSES, Dials
from playground.steps.film import describe_assigned, film_layers, single_layers
from playground.steps.levels import part_levels
from playground.steps.rates.view import rates_text
from playground.steps.shares.view import build_shares_figure, has_shares, shares_dials, shares_table
from playground.steps.step import Focus, Step, StepText, StepView, truth_layer
from playground.steps.teaching import training_source

SEEN = (
    "The weights that it began with have seen {} in training, so AP is too good: begin with others, or put these "
    "pictures back into the split train."
)
SCENES = "scenes generated with the settings of the Picture step"
HINT = (
    "Press Start to train on {}, from the chosen initial weights, or Compare to watch the chosen short runs one after "
    "another. A run continues when you close this page; you find it again in the list of runs."
)


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows a run: its curves, and its detections in a held-out picture at one of its evaluations."""
    if not RUNS.has(focus.run):
        return StepView((truth_layer(pipeline),), build_text=lambda: _build_hint(pipeline, focus))
    progress = RUNS.read_progress(focus.run)
    folder = RUNS.folder(focus.run)
    picture = read_picture(folder)
    single = read_step_changes(folder) if progress.own else None
    if single and single.step != progress.steps[-1]["step"]:  # the run has continued since
        single = None
    frame, before = (
        RUNS.reader.read_snapshot(folder, focus.frame),
        RUNS.reader.read_snapshot_before(folder, focus.frame),
    )

    def build_text() -> StepText:
        text = _build_text(progress, focus.run, single, focus.dials)
        said = describe_assigned(frame, before) if frame and not single else Markup()
        return text._replace(
            readout=text.readout + said,
            more=build_strip(pipeline) + show_measured() + build_atlas(pipeline, focus.dials),
            moves=MOVES,
        )

    if picture is None:
        return StepView((truth_layer(pipeline),), build_text=build_text)
    layers = single_layers(picture, single) if single else film_layers(picture, frame, before)
    return StepView(layers, build_text=build_text, picture=picture)


def _build_hint(pipeline: Pipeline, focus: Focus) -> StepText:
    """Returns what can be trained, and what was measured beforehand."""
    what = training_source(pipeline.image_ref, pipeline.visitor)
    if not what:
        what = f"the data set {pipeline.image_ref.source}" if is_from_data_set(pipeline.image_ref) else SCENES
    hint = html.paragraph(HINT.format(what)) + build_strip(pipeline) + show_measured()
    return StepText(hint, more=build_atlas(pipeline, focus.dials), moves=MOVES)


def _build_text(progress: RunProgress, run: str, single: StepChanges | None, dials: Dials) -> StepText:
    """Returns the status of a run, the changes by its last step if that was a single one, and its curves."""
    if RUNS.about(run).range_test:
        return rates_text(progress, run)
    config = Config.from_file(RUNS.folder(run).config)
    text = build_status(progress, run, RUNS.label(run).name, config, RUNS.about(run))
    text += _warn_of_seen(run, config) + (build_changes(single) if single else Markup())
    if progress.preset:
        return StepText(
            text + view.status(progress, progress.preset),
            view.figure(progress) if progress.records else None,
        )
    classes = RUNS.about(run).classes
    if not has_shares(progress.steps, classes):
        return StepText(text, build_run_figure(progress) if progress.steps else None)
    if dials.of_run == CLASSES:
        text += shares_table(progress.steps, classes)
    return StepText(text, _draw_run(progress, classes, dials), dials=shares_dials(dials))


def _draw_run(progress: RunProgress, classes: Sequence[str], dials: Dials) -> Figure:
    if dials.of_run == CLASSES and has_shares(progress.steps, classes):
        return build_shares_figure(progress.steps, classes)
    return build_run_figure(progress)


def build_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the curves of the run that the weights are from, None if that is the one on show or there is none."""
    names = (each.path.name for each in find_runs(Path(pipeline.config.model.weights)))
    run = next((name for name in names if RUNS.may_see(name, pipeline.visitor)), "")
    if not run or run == focus.run:
        return None
    progress = RUNS.read_progress(run)
    return _draw_run(progress, RUNS.about(run).classes, focus.dials) if progress.steps else None


def _warn_of_seen(run: str, config: Config) -> Markup:
    """Returns a warning where the initial weights were trained on held-out pictures, whose split has changed since."""
    if not (count := count_held_out_seen(RUNS.folder(run), config.model.weights)):
        return Markup()
    return html.paragraph(SEEN.format(count_noun(count, "held-out picture")))


def load_run_config(name: str, config: Config) -> Config:
    """Returns the settings of a run with its latest weights, and with the page's settings for post-processing.

    Args:
        name: The run.
        config: The settings on the page.

    Raises:
        UserError: There is no such run, it has not saved weights, or its settings cannot be read.
    """
    run = RUNS.find_weights(name) if RUNS.has(name) else None
    if run is None:
        raise UserError(
            "No run with weights is chosen: choose one in the list, or start one and wait for its first evaluation."
        )
    values = config.to_flat()
    postprocessing = {path: values[path] for path, knob in knobs().items() if knob.effect in POSTPROCESSING}
    return Config.from_file(run.config).replace(
        {**postprocessing, "model.weights": str(run.weights), "model.heads": "loaded"}
    )


STEP = Step(
    "training",
    "A short run on generated scenes, a data set or your own pictures, whichever is on show: watch the losses fall and "
    "the detections appear. Its weights can then be used in all other steps. Choose frozen stages and initial weights "
    "in the Network step.",
    lambda pipeline: f"{pipeline.config.training.steps:,} steps",
    build_view,
    lambda pipeline, focus: part_levels(pipeline.parts),
    has_figure=True,
    build_figure=build_figure,
)

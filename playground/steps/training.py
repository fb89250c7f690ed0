"""The training step: a short run on generated scenes or a data set, with its losses, AP and detections."""

from collections.abc import Sequence
from pathlib import Path

import torch
from markupsafe import Markup
from torch import Tensor

from core.config import POSTPROCESSING, Config, knobs
from core.errors import UserError
from core.io.text import count_noun
from core.runs.snapshots import Snapshot
from core.runs.step_changes import StepChanges, read_step_changes
from core.structures import Detections
from playground.canvas.view import Layer
from playground.components import html
from playground.components.figures import Figure
from playground.data.image_ref import is_from_data_set
from playground.data.picture import Picture
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
from playground.steps.comparison.measured import show_best_rates, show_methods, show_presets, show_rivals
from playground.steps.dials import CLASSES, Dials
from playground.steps.levels import part_levels
from playground.steps.rates.view import rates_text
from playground.steps.shares.view import build_shares_figure, has_shares, shares_dials, shares_table
from playground.steps.step import Focus, Step, StepText, StepView, objects_layer, truth_layer
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
            readout=text.readout + said, more=build_strip(pipeline) + build_atlas(pipeline, focus.dials), moves=MOVES
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
    measured = show_presets() + show_methods() + show_best_rates() + show_rivals()
    hint = html.paragraph(HINT.format(what)) + build_strip(pipeline) + measured
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


def film_layers(picture: Picture, frame: Snapshot | None, before: Snapshot | None = None) -> tuple[Layer, ...]:
    """Returns the objects of a film's picture, and the detections of a frame if there is one.

    Where the assigner looks at what the network predicts, hidden layers show its foreground anchors: those that are
    the same as in the frame before, and those that are new.
    """
    truth = objects_layer(picture.sample.boxes, picture.sample.labels, picture.class_names)
    if not frame:
        return (truth,)
    found = found_layer(frame.found, picture, "kept", f"found after step {frame.step}")
    if frame.assigned is None:
        return truth, found
    stayed = _find_stayed(frame, before)
    same, new = frame.assigned[stayed], frame.assigned[~stayed]
    return (
        truth,
        Layer("assigned", "foreground anchors, as before", "foreground", same, visible=False),
        Layer("assigned-new", "foreground anchors, new", "before", new, visible=False),
        found,
    )


def _find_stayed(frame: Snapshot, before: Snapshot | None) -> Tensor:
    """Returns which of a frame's foreground anchors the frame before has as well, bool [A]."""
    anchors = frame.assigned if frame.assigned is not None else torch.zeros(0, 4)
    if before is None or before.assigned is None:
        return torch.zeros(len(anchors), dtype=torch.bool)
    return (anchors[:, None] == before.assigned).all(dim=2).any(dim=1)


def describe_assigned(frame: Snapshot, before: Snapshot | None) -> Markup:
    """Returns how the assignment has changed since the frame before, nothing if no assigner looks at the outputs."""
    if frame.assigned is None:
        return Markup()
    number, stayed = len(frame.assigned), int(_find_stayed(frame, before).sum())
    text = f"After step {frame.step} SimOTA assigns {count_noun(number, 'anchor')} of this picture to objects"
    if before is not None and before.assigned is not None:
        given_up = len(before.assigned) - stayed
        text += f": {stayed} as after step {before.step}, {number - stayed} new, and {given_up} given up"
    return html.paragraph(f"{text}. Layers under the picture show them.")


def single_layers(picture: Picture, single: StepChanges) -> tuple[Layer, ...]:
    """Returns the objects of the picture, and the detections before and after a single step."""
    truth = objects_layer(picture.sample.boxes, picture.sample.labels, picture.class_names, visible=False)
    before = found_layer(single.before, picture, "before", f"found before step {single.step}")
    after = found_layer(single.after, picture, "kept", f"found after step {single.step}")
    return truth, before._replace(dashed=True), after


def found_layer(found: Detections, picture: Picture, role: str, label: str) -> Layer:
    """Returns detections as a layer.

    Args:
        found: The detections, in the picture's pixels.
        picture: The picture, which has the classes of their labels.
        role: Key of the layer and role of its colour.
        label: Name in the legend.
    """
    names = picture.class_names
    known = [names[index] if 0 <= index < len(names) else f"class {index}" for index in found.labels.tolist()]
    captions = tuple(f"{name} {score:.2f}" for name, score in zip(known, found.scores.tolist(), strict=True))
    return Layer(role, label, role, found.boxes.numpy(), width=2, values=found.scores, captions=captions)


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
        raise UserError("There are no weights yet: start a run, and wait for its first evaluation or stop it.")
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

"""The components of the page that events read and write."""

from collections.abc import Mapping
from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from playground.layout.knob_widgets import KnobWidget
from playground.lessons.panel import Panel


class HeaderControls(NamedTuple):
    """The controls above everything else."""

    lessons: gr.HTML  # fires `select`; its value is the key of the lesson, "" outside of lessons
    all_knobs: gr.Button
    share: gr.HTML  # fires `select` with the key of what to copy
    copied: gr.Textbox  # text for the clipboard
    pin: gr.Button
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button


class PinControls(NamedTuple):
    """The controls for the pinned settings."""

    beside: gr.Button
    to_pinned: gr.Button
    unpin: gr.Button


class DataControls(NamedTuple):
    """The controls for data sets."""

    archive: gr.UploadButton
    folder: gr.Textbox
    use_folder: gr.Button
    format: gr.Radio  # asked for if a data set fits several
    answer: gr.Button
    split_by: gr.Dropdown
    shares: gr.Textbox
    split: gr.Button
    undo_split: gr.Button
    delete: gr.Button
    put_back: gr.Button
    delete_unread: gr.Button  # the first one that cannot be read …
    unread: gr.State  # … and its name, "" for none
    source: gr.Textbox  # an input that the browser sets to the source chosen above the picture


class PictureControls(NamedTuple):
    """The controls of the picture step."""

    another: gr.Button
    intake: gr.HTML  # uploads, the clipboard and the camera
    album: gr.HTML  # the panel "My pictures"
    album_file: gr.DownloadButton
    example: gr.Dropdown
    to_scene: gr.Button  # beside the sentence that stands for the scene's knobs while another picture is on show
    data: DataControls


class NetworkControls(NamedTuple):
    """The controls of the network step."""

    upload: gr.UploadButton
    export_format: gr.Dropdown
    export: gr.Button
    exported: gr.DownloadButton
    exported_of: gr.Textbox  # the format and the settings of its file, "" before


class AnchorControls(NamedTuple):
    """The controls of the anchors step."""

    fit_to: gr.Dropdown
    fit: gr.Button


class LossControls(NamedTuple):
    """The controls of the loss step, which are beside its figure."""

    curve: gr.Dropdown
    p_t: gr.Slider


class TrainingControls(NamedTuple):
    """The controls of the training step."""

    run: gr.Dropdown
    start: gr.Button
    stop: gr.Button
    resume: gr.Button
    pause: gr.Button
    single_step: gr.Button
    use_weights: gr.Button
    find_rate: gr.Button
    preset: gr.Dropdown
    compare: gr.Button


class EvaluationControls(NamedTuple):
    """The controls of the evaluation step."""

    evaluate: gr.Button
    stop: gr.Button


class StepControls(NamedTuple):
    """The controls of each step, beside its knobs."""

    picture: PictureControls
    network: NetworkControls
    anchors: AnchorControls
    loss: LossControls
    training: TrainingControls
    evaluation: EvaluationControls
    resets: Mapping[str, gr.Button]  # by key of the step


class PageComponents(NamedTuple):
    """The components of the page.

    Attributes:
        parts: By field of `PageUpdate`.
        side: Column of the pinned picture, which `PageUpdate.beside` shows or hides.
        state: By field of `PageState`, in its order.
        settings: Values of all knobs as one text, which the events read instead of each of them.
        knobs: Widgets of the hyperparameters, by path, in declared order.
        film: Slider over the evaluations of a run.
        header: Controls above everything else.
        pins: Controls for the pinned settings.
        controls: Controls of each step.
        panel: The lesson.
    """

    parts: Mapping[str, gr.HTML]
    side: gr.Column
    state: Mapping[str, Component]
    settings: gr.Textbox
    knobs: Mapping[str, KnobWidget]
    film: gr.Slider
    header: HeaderControls
    pins: PinControls
    controls: StepControls
    panel: Panel

    @property
    def all_parts(self) -> list[Block]:
        """The components that a `PageUpdate` changes."""
        return [*self.parts.values(), self.side]

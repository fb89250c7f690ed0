"""The buttons and lists of each step, beside its knobs."""

import gradio as gr

from core.data.formats import FORMATS
from core.experiments.presets import PRESETS
from core.io.decoding import MAX_BYTES
from core.weights.state_dict import READABLE
from playground.albums.service import ALBUMS
from playground.data.datasets import DATA
from playground.data.intake import take
from playground.data.photographs import INSTALL, find_photographs
from playground.data.scene_examples import EXAMPLES
from playground.data.splitting import SPLIT_CHOICES
from playground.layout.album_panel import album_panel
from playground.layout.components import (
    AnchorControls,
    DataControls,
    EvaluationControls,
    NetworkControls,
    PictureControls,
    TrainingControls,
)
from playground.layout.intake import intake
from playground.state.anchor_search import FIT_TO
from playground.state.taught import USE_WEIGHTS
from playground.support.picture_limits import MAX_SIDE

SHARES = "0.8, 0.1, 0.1"
EXPORT_FORMATS = [
    ("Weights with a script for torchvision (.zip)", ".zip"),
    ("ONNX, pixels in and detections out (.onnx)", ".onnx"),
    ("Weights (.safetensors)", ".safetensors"),
]
NO_RUN = ("no run", "")


def picture_controls() -> PictureControls:
    """Builds the controls of the picture step."""
    another = gr.Button("Another scene", variant="primary", size="sm", min_width=80, elem_id="another-scene")
    with gr.Column(elem_id="my-pictures-panel"):
        pictures = intake(take, files=ALBUMS.bounds.pictures, size=MAX_BYTES, side=MAX_SIDE)
        album = album_panel()
        album_file = gr.DownloadButton(visible=False, size="sm", min_width=80, elem_id="album-file")
    example = _examples()
    with gr.Column(elem_classes=["scene-note"]):
        gr.Markdown("The other knobs of this step act on the generated scene, which is not on show.")
        to_scene = gr.Button("Back to the generated scene", size="sm", min_width=80, elem_id="to-scene")
    return PictureControls(another, pictures, album, album_file, example, to_scene, _data_controls())


def _examples() -> gr.Dropdown:
    """Builds the list of examples: scenes, and photographs if they are installed."""
    photographs = [(f"Photograph: {each.title}", each.file) for each, _ in find_photographs()]
    return gr.Dropdown(
        [*((name, name) for name in EXAMPLES), *photographs],
        value=next(iter(EXAMPLES)),
        label="Examples",
        info="" if photographs else f"For photographs: {INSTALL}",
        interactive=True,
        elem_id="examples",
    )


def _data_controls() -> DataControls:
    """Builds the controls for data sets; a folder can be named only where the operator allows it."""
    with gr.Accordion("Your own data", open=False, elem_id="own-data"):
        gr.Markdown(
            "A zip file with pictures and annotations as your tool exported them, in any layout: "
            f"{', '.join(each.name for each in FORMATS)}. It is checked first; then every visitor can use it. "
            "Training, the anchor search and evaluation use the data set that is chosen above the picture."
        )
        archive = gr.UploadButton("Upload a data set (zip)", file_types=[".zip"], size="sm", min_width=80)
        allowed = DATA.allows_folders
        folder = gr.Textbox(label="Folder on the server", visible=allowed, elem_id="data-folder", max_length=1000)
        use = gr.Button("Use the folder", size="sm", min_width=80, visible=allowed)
        form = gr.Radio([], label="Format", visible=False, elem_id="data-format")
        answer = gr.Button("Import in this format", visible=False, size="sm", min_width=80, elem_id="use-format")
        by = gr.Dropdown(list(SPLIT_CHOICES), value=SPLIT_CHOICES[-1], label="Split the data set", elem_id="split-by")
        shares = gr.Textbox(SHARES, label="Shares of train, val and test", elem_id="split-shares", max_length=100)
        with gr.Row():
            split = gr.Button("Split", size="sm", min_width=80)
            undo_split = gr.Button("Undo", visible=False, size="sm", min_width=80, elem_id="undo-split")
        with gr.Row():
            delete = gr.Button("Delete the data set", size="sm", min_width=80)
            put_back = gr.Button("Undo", visible=False, size="sm", min_width=80, elem_id="put-data-back")
            drop = gr.Button("Delete", visible=False, size="sm", min_width=80, elem_id="delete-unread-data")
    changes = (by, shares, split, undo_split, delete, put_back, drop)
    source = gr.Textbox(visible=False)
    return DataControls(archive, folder, use, form, answer, *changes, unread=gr.State(""), source=source)


def network_controls() -> NetworkControls:
    """Builds the controls of the network step."""
    upload = gr.UploadButton("Upload weights", file_types=[*READABLE], size="sm", min_width=80)
    form = gr.Dropdown(EXPORT_FORMATS, value=EXPORT_FORMATS[0][1], label="Export format", elem_id="export-format")
    export = gr.Button("Export", size="sm", min_width=80, elem_id="export")
    exported = gr.DownloadButton(visible=False, size="sm", min_width=80, elem_id="export-file")
    exported_of = gr.Textbox("", visible="hidden", elem_id="export-of")  # read by the browser alone
    return NetworkControls(upload, form, export, exported, exported_of)


def anchor_controls() -> AnchorControls:
    """Builds the controls of the anchors step."""
    fit_to = gr.Dropdown(list(FIT_TO), value=FIT_TO[0], label="Objects to fit", elem_id="fit-to")
    return AnchorControls(fit_to, gr.Button("Look for better scales and ratios", size="sm", min_width=80))


def training_controls() -> TrainingControls:
    """Builds the controls of the training step."""
    run = gr.Dropdown([NO_RUN], value="", label="Run", allow_custom_value=True, interactive=True, elem_id="run")
    with gr.Row(elem_classes=["run-buttons"]):
        start = gr.Button("Start", variant="primary", size="sm", min_width=60, elem_id="start")
        stop = gr.Button("Stop", size="sm", min_width=60)
        resume = gr.Button("Resume", size="sm", min_width=60)
    with gr.Row(elem_classes=["run-buttons"]):
        pause = gr.Button("Pause", size="sm", min_width=60)
        single_step = gr.Button("Single step", size="sm", min_width=60)
    use = gr.Button(USE_WEIGHTS, size="sm", min_width=80)
    find_rate = gr.Button("Find a learning rate", size="sm", min_width=80, elem_id="find-rate")
    choices = [(preset.title, key) for key, preset in PRESETS.items()]
    preset = gr.Dropdown(choices, value=choices[0][1], label="Short runs to compare", elem_id="preset")
    compare = gr.Button("Compare", size="sm", min_width=80, elem_id="compare")
    return TrainingControls(run, start, stop, resume, pause, single_step, use, find_rate, preset, compare)


def evaluation_controls() -> EvaluationControls:
    """Builds the controls of the evaluation step."""
    with gr.Row():
        evaluate = gr.Button("Evaluate", variant="primary", size="sm", min_width=80, elem_id="evaluate")
        stop = gr.Button("Stop", size="sm", min_width=80, elem_id="stop-evaluation")
    return EvaluationControls(evaluate, stop)

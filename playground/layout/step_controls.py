"""Buttons and lists of each step, beside its knobs."""

from collections.abc import Callable

import gradio as gr

from core.experiments.presets import PRESETS
from playground.data.datasets import DATA, SPLIT_CHOICES
from playground.data.scene_examples import EXAMPLES
from playground.pipeline.anchor_search import FIT_TO

SHARES = "0.8, 0.1, 0.1"

TAKE_HOME = [
    ("Weights with a script for torchvision (.zip)", ".zip"),
    ("ONNX, pixels in and detections out (.onnx)", ".onnx"),
    ("Weights (.safetensors)", ".safetensors"),
]
NO_RUN = ("no run", "")


def _picture_buttons() -> dict[str, gr.components.Component]:
    with gr.Row():
        another = gr.Button("Another scene", variant="primary", size="sm", min_width=80)
        upload = gr.UploadButton("Upload a picture", file_types=["image"], size="sm", min_width=80)
    example = gr.Dropdown(list(EXAMPLES), value=next(iter(EXAMPLES)), label="Examples", interactive=True)
    return {"another": another, "upload": upload, "example": example} | data_controls()


def _network_buttons() -> dict[str, gr.components.Component]:
    endings = [".safetensors", ".pth", ".pt"]
    upload = gr.UploadButton("Upload weights", file_types=endings, size="sm", min_width=80)
    form = gr.Dropdown(TAKE_HOME, value=TAKE_HOME[0][1], label="Take it home as", elem_id="take-home-as")
    make = gr.Button("Make the file", size="sm", min_width=80, elem_id="take-home")
    file = gr.DownloadButton(visible=False, size="sm", min_width=80, elem_id="take-home-file")
    return {"weights": upload, "take_home_as": form, "take_home": make, "take_home_file": file}


def _anchor_buttons() -> dict[str, gr.components.Component]:
    whose = gr.Dropdown(list(FIT_TO), value=FIT_TO[0], label="Objects to fit", elem_id="fit-to")
    return {"fit_to": whose, "fit": gr.Button("Look for better scales and ratios", size="sm", min_width=80)}


def _training_buttons() -> dict[str, gr.components.Component]:
    run = gr.Dropdown([NO_RUN], value="", label="Run", allow_custom_value=True, interactive=True, elem_id="run")
    with gr.Row(elem_classes=["run-buttons"]):
        start = gr.Button("Start", variant="primary", size="sm", min_width=60)
        stop = gr.Button("Stop", size="sm", min_width=60)
        resume = gr.Button("Resume", size="sm", min_width=60)
    with gr.Row(elem_classes=["run-buttons"]):
        pause = gr.Button("Pause", size="sm", min_width=60)
        single = gr.Button("Single step", size="sm", min_width=60)
    use = gr.Button("Use its weights in all steps", size="sm", min_width=80)
    choices = [(preset.title, key) for key, preset in PRESETS.items()]
    preset = gr.Dropdown(choices, value=choices[0][1], label="Short runs to compare", elem_id="preset")
    compare = gr.Button("Compare", size="sm", min_width=80, elem_id="compare")
    going = {"run": run, "start": start, "stop": stop, "resume": resume, "pause": pause, "single": single}
    return {**going, "use": use, "preset": preset, "compare": compare}


def _evaluation_buttons() -> dict[str, gr.components.Component]:
    with gr.Row():
        evaluate = gr.Button("Evaluate", variant="primary", size="sm", min_width=80)
        cancel = gr.Button("Stop", size="sm", min_width=80, elem_id="stop-evaluation")
    return {"evaluate": evaluate, "stop_evaluation": cancel}


BUTTONS: dict[str, Callable[[], dict]] = {
    "picture": _picture_buttons,
    "network": _network_buttons,
    "anchors": _anchor_buttons,
    "training": _training_buttons,
    "evaluation": _evaluation_buttons,
}


def data_controls() -> dict[str, gr.components.Component]:
    """Builds the controls, and returns them by name; a folder is asked for only where the operator allows it."""
    with gr.Accordion("Your own data", open=False, elem_id="own-data"):
        gr.Markdown(
            "A zip in COCO, Pascal VOC or YOLO format. It is looked through, then every visitor can use it; "
            "training, the anchor search and evaluation follow what is chosen above the picture."
        )
        archive = gr.UploadButton("Upload a data set (zip)", file_types=[".zip"], size="sm", min_width=80)
        allowed = DATA.allows_folders
        folder = gr.Textbox(label="Folder on the server", visible=allowed, elem_id="data-folder", max_length=1000)
        use = gr.Button("Use the folder", size="sm", min_width=80, visible=allowed)
        by = gr.Dropdown(list(SPLIT_CHOICES), value=SPLIT_CHOICES[-1], label="Split the data set", elem_id="split-by")
        shares = gr.Textbox(SHARES, label="Shares of train, val and test", elem_id="split-shares", max_length=100)
        split = gr.Button("Split", size="sm", min_width=80)
        with gr.Row():
            delete = gr.Button("Delete the data set", size="sm", min_width=80)
            put_back = gr.Button("Undo", visible=False, size="sm", min_width=80, elem_id="put-data-back")
    bringing = {"archive": archive, "folder": folder, "use_folder": use}
    return {**bringing, "split_by": by, "shares": shares, "split": split, "delete": delete, "put_back": put_back}

"""The controls of the Picture step with which data sets are brought and split."""

import gradio as gr

from playground.data.datasets import DATA, SPLIT_WAYS

SHARES = "0.8, 0.1, 0.1"


def data_controls() -> dict[str, gr.components.Component]:
    """Builds the controls, and returns them by name; a folder is asked for only where the operator allows it."""
    with gr.Accordion("Your own data", open=False, elem_id="own-data"):
        gr.Markdown(
            "A zip in COCO, Pascal VOC or YOLO format. It is looked through, then every visitor can use it; "
            "training, the anchor search and evaluation follow what is chosen above the picture."
        )
        archive = gr.UploadButton("Upload a data set (zip)", file_types=[".zip"], size="sm", min_width=80)
        allowed = DATA.allowed is not None
        folder = gr.Textbox(label="Folder on the server", visible=allowed, elem_id="data-folder", max_length=1000)
        use = gr.Button("Use the folder", size="sm", min_width=80, visible=allowed)
        by = gr.Dropdown(list(SPLIT_WAYS), value=SPLIT_WAYS[-1], label="Split the data set", elem_id="split-by")
        shares = gr.Textbox(SHARES, label="Shares of train, val and test", elem_id="split-shares", max_length=100)
        split = gr.Button("Split", size="sm", min_width=80)
        with gr.Row():
            delete = gr.Button("Delete the data set", size="sm", min_width=80)
            put_back = gr.Button("Undo", visible=False, size="sm", min_width=80, elem_id="put-data-back")
    bringing = {"archive": archive, "folder": folder, "use_folder": use}
    return {**bringing, "split_by": by, "shares": shares, "split": split, "delete": delete, "put_back": put_back}

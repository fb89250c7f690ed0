"""Starts the playground: `python app.py`, then open the address it prints."""

import argparse
import os
from pathlib import Path

# Before Gradio is imported: it would look for updates and report usage.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"


def main() -> None:
    """Parses the options, builds the page and serves it until interrupted."""
    parser = argparse.ArgumentParser(description="RetinaNet Playground, in the browser.")
    parser.add_argument(
        "--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), help="address to listen on"
    )
    parser.add_argument("--port", type=int, default=None, help="port to listen on (default: the first free from 7860)")
    parser.add_argument(
        "--data-folder",
        type=Path,
        metavar="DIR",
        help="let visitors use and split the data sets in this folder of the server (default: uploads only)",
    )
    options = parser.parse_args()
    if options.data_folder and not options.data_folder.is_dir():
        parser.error(f"there is no folder {options.data_folder}: name one that exists")

    from playground.datasets import DATA
    from playground.page import build_page, launch_options
    from playground.steps.training import RUNS

    DATA.allowed = options.data_folder and options.data_folder.resolve()
    RUNS.open()  # runs that wait go on, and the next one starts at once
    build_page().launch(server_name=options.host, server_port=options.port, **launch_options())


if __name__ == "__main__":
    main()

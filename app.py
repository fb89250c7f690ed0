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
    parser.add_argument(
        "--visitors",
        choices=("alike", "apart"),
        help="whether all may stop, change and delete what others made, or each only their own (default: alike where "
        "the page can be reached from this machine alone, else apart)",
    )
    options = parser.parse_args()
    if options.data_folder and not options.data_folder.is_dir():
        parser.error(f"there is no folder {options.data_folder}: name one that exists")

    from playground.data.datasets import DATA
    from playground.evaluations.jobs import EVALUATIONS
    from playground.evaluations.store import Store
    from playground.page import build_page, launch_options
    from playground.runs.service import RUNS
    from playground.support.visitors import VISITORS, is_local

    VISITORS.apart = (options.visitors or ("alike" if is_local(options.host) else "apart")) == "apart"
    DATA.allow_folder(options.data_folder)
    EVALUATIONS.open(Store(Path("evaluations")))
    RUNS.open()  # runs that wait go on, and the next one starts at once
    build_page().launch(server_name=options.host, server_port=options.port, **launch_options())


if __name__ == "__main__":
    main()

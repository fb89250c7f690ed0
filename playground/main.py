"""The command line of the page: parses the options, opens the services and serves the page until interrupted."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.config import ConfigError
from core.errors import UserError
from core.fast_imports import without_garbage_collection
from core.io.text import print_any_text
from playground.access.hosts import FLAG, KnownHosts, is_local
from playground.support.starting import (
    EVALUATIONS as EVALUATIONS_FOLDER,
    HOST_VARIABLE,
    LOCAL,
    StartError,
    find_port,
    keep_uploads_apart,
    parse_port,
    require_folders,
)

# Gradio reads them when it is imported: no look-ups for updates, no reports of usage.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # else statistics that nobody reads follow every event
os.environ["HF_HUB_OFFLINE"] = "1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page until interrupted; returns the exit status: 1 if it cannot start."""
    print_any_text()
    options = parse(arguments)
    try:
        serve(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def serve(options: argparse.Namespace) -> None:
    """Serves the page until interrupted.

    Raises:
        StartError: The port, the address or a folder cannot be used.
    """
    find_port(options.host, options.port)  # before the imports, which take seconds
    require_folders()
    with without_garbage_collection():
        from playground.page import build_page, launch_options  # imports PyTorch and Gradio: not for --help
        from playground.server.first_answer import prepare_first_answer

        open_services(options)
        page = build_page()
    prepare_first_answer(page)
    port = find_port(options.host, options.port)  # another page may have started meanwhile
    try:
        page.launch(server_port=port, **launch_options(options.hosts))
    except OSError as error:
        if error.errno is not None:
            raise
        raise StartError(f"Port {port} has just been taken by another program: start the page again.") from None


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the parsed command line; exits with status 2 if it is not understood."""
    parser = argparse.ArgumentParser(description="RetinaNet Playground, in the browser.")
    default_host = os.environ.get(HOST_VARIABLE) or LOCAL
    parser.add_argument("--host", default=default_host, help="address to listen on")
    parser.add_argument(
        FLAG,
        action="append",
        default=[],
        metavar="NAME",
        help="a further name under which the page is opened, such as that of a proxy before it (may be repeated; "
        "requests to other names than those of this machine and of a Space are refused)",
    )
    parser.add_argument(
        "--port", type=parse_port, default=None, help="port to listen on (default: the first free from 7860)"
    )
    parser.add_argument(
        "--data-folder",
        type=Path,
        metavar="DIR",
        help="let visitors use and split the data sets in this folder of the server (default: uploads only)",
    )
    parser.add_argument(
        "--visitors",
        choices=("alike", "apart"),
        help="alike: every visitor may stop, change and delete everything; apart: only what they made themselves "
        "(default: alike if the page can be reached from this machine alone, else apart)",
    )
    options = parser.parse_args(arguments)
    if options.data_folder and not (os.path.isdir(options.data_folder) and os.access(options.data_folder, os.R_OK)):
        parser.error(f"there is no folder {options.data_folder} that can be read: name one")
    try:
        options.hosts = KnownHosts(options.host, options.allowed_host)
    except ConfigError as error:
        parser.error(str(error))
    return options


def open_services(options: argparse.Namespace) -> None:
    """Opens visitors, data sets, evaluations and runs in the current folder; starts the process that reads uploads."""
    from core.io.paths import ASSETS
    from core.reader import LIGHT, PAGE, Kind, read_apart_from_now_on, warm_up
    from core.scheduler.daemon import OPEN_SECONDS
    from playground.albums.deletion import repeat_hourly
    from playground.albums.service import ALBUMS
    from playground.data.datasets import DATA
    from playground.evaluations.jobs import EVALUATIONS
    from playground.evaluations.store import Store
    from playground.runs.service import RUNS
    from playground.support.cache import shrink_when_idle
    from playground.support.visitors import VISITORS

    read_apart_from_now_on(PAGE, tuple(Kind), trusted=(RUNS.root, ALBUMS.folder, ASSETS))
    warm_up(*LIGHT)
    VISITORS.keep_apart((options.visitors or ("alike" if is_local(options.host) else "apart")) == "apart")
    repeat_hourly(ALBUMS.clean)
    shrink_when_idle()
    DATA.allow_folder(options.data_folder)
    DATA.library.names()  # which sweeps what killed processes left
    EVALUATIONS.open(Store(EVALUATIONS_FOLDER))
    RUNS.open(OPEN_SECONDS)  # waiting runs continue, and after a moment new ones start without delay
    keep_uploads_apart()

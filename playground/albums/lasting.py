"""Whether the disk keeps the albums: that of a hosted Space is empty again after each restart."""

import os
from pathlib import Path

SPACE, LASTING_FOLDER = "SPACE_ID", Path("/data")  # set in a Space; the only folder there that can last
KEPT_DAYS = 30  # for which an album that nobody uses is kept
KEPT = (
    f"Your pictures are kept on this server until you delete them, or until nobody has used them for {KEPT_DAYS} days."
)
NOT_KEPT = (
    "This page runs in a hosted Space, whose disk is emptied whenever it restarts: download your pictures to keep them."
)


def disk_lasts(folder: Path) -> bool:
    """True if what is stored in a folder is there after a restart."""
    return SPACE not in os.environ or folder.resolve().is_relative_to(LASTING_FOLDER)


def describe_keeping(folder: Path) -> str:
    """Returns a sentence for the owner of an album on how long it is kept."""
    return KEPT if disk_lasts(folder) else NOT_KEPT

"""The classes of inputs by name."""

from typing import NamedTuple

from benchmarks.attack.album_folders import attack_album_folders
from benchmarks.attack.bombs import attack_with_bombs
from benchmarks.attack.crowds import attack_with_crowds
from benchmarks.attack.data_sets import attack_data_sets, attack_zips
from benchmarks.attack.files import attack_pictures, attack_weights
from benchmarks.attack.kills import attack_sequences, attack_training
from benchmarks.attack.outcome import HANG_SECONDS, Prepare
from benchmarks.attack.requests import attack_links, attack_live, attack_origins
from benchmarks.attack.run_folders import attack_run_folders

PROCESS_SECONDS = 600  # of inputs that start processes, which import PyTorch first


class Class(NamedTuple):
    """A class of inputs.

    Attributes:
        prepare: Prepares it.
        share: Its share of all inputs.
        bound: Seconds of processor time after which one is a hang.
        apart: True if untrusted files are read in another process meanwhile, as the page does; a process that is
            forked cannot share that with its parent.
    """

    prepare: Prepare
    share: float
    bound: float = HANG_SECONDS
    apart: bool = True


CLASSES = {
    "pictures": Class(attack_pictures, 0.15),
    "weights": Class(attack_weights, 0.12),
    "zips": Class(attack_zips, 0.08),
    "data sets": Class(attack_data_sets, 0.13),
    "bombs": Class(attack_with_bombs, 0.01),
    "run folders": Class(attack_run_folders, 0.12),
    "album folders": Class(attack_album_folders, 0.02),
    "live": Class(attack_live, 0.12),
    "links": Class(attack_links, 0.1),
    "origins": Class(attack_origins, 0.1),
    "kills": Class(attack_sequences, 0.04, apart=False),
    "trainings": Class(attack_training, 0.0004, PROCESS_SECONDS),
    "crowds": Class(attack_with_crowds, 0.0002, PROCESS_SECONDS),
}

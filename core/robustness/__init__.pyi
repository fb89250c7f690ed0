from .changes import CHANGES as CHANGES, apply_change as apply_change, move_boxes as move_boxes
from .shifts import measure_shifts as measure_shifts
from .survival import Survival as Survival, measure_survival as measure_survival

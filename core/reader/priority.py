"""The priority of this process, on every system."""

import psutil


def lower_priority(niceness: int) -> None:
    """Lowers the priority of this process.

    Args:
        niceness: What it becomes, from 1 to 19, unless it is higher; Windows has only one such class.
    """
    process = psutil.Process()
    if psutil.WINDOWS:
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        process.nice(max(niceness, process.nice()))

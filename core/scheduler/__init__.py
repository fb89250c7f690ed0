"""The background process that trains queued runs, one at a time per device.

Reading order: `queue` (the runs of a folder and their order), `daemon` (the program of the process; imports no PyTorch
until it is needed), `server` (waits for a run and takes it), `worker` (trains it), `throttle` (makes runs on the CPU
wait while the page computes), `lock_files` (the names of the lock files).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

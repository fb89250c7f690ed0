"""The background process that trains queued runs, one at a time per device.

Reading order: `queue` (the runs of a folder and their order), `daemon` (starts the process; imports no PyTorch),
`server` (forks a process for each run), `worker` (trains one run), `throttle` (suspends runs on the CPU while the page
computes), `lock_files` (the names of the lock files).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

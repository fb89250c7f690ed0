"""Names of the lock files in a folder of runs. They tell which processes are alive (`core.io.locks`).

This module imports nothing, so that the daemon finds out whether it is needed before it imports PyTorch.
"""

SERVER_LOCK = ".server"  # held by the server process
PAGES_LOCK = ".pages"  # shared by the open pages
QUEUE_LOCK = ".queue"  # held while runs are added, started or cancelled
DEVICE_LOCK = ".device-{}"  # held by the run that trains on the device
CPU = "cpu"  # the name of that device

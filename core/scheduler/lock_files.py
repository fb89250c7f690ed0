"""Names of the files by which the processes of a folder of runs find each other; locks tell which of them are alive.

This module imports nothing, so that the daemon finds out whether it is needed before it imports PyTorch.
"""

SERVER_LOCK = ".server"  # held by the server process
PAGES_LOCK = ".pages"  # shared by the open pages
QUEUE_LOCK = ".queue"  # held while runs are added, started or cancelled
QUEUE_CHANGED = ".changed"  # no lock: its modification time is that of the last change to the queue
DEVICE_LOCK = ".device-{}"  # held by the run that trains on the device
CPU = "cpu"  # the name of that device

"""What Windows lacks and refuses, for processes on Linux: with this folder first in PYTHONPATH, Python resembles it.

Python imports `sitecustomize` from there when it starts, also in the processes that such a process starts.
"""

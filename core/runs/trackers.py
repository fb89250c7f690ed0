"""The trackers that runs can be told to; each is an optional package."""

import importlib.util

TRACKERS = ("tensorboard", "wandb", "trackio")


class TrackingError(ValueError):
    """A tracker that is not installed or does not start; the message says what to do."""


def require_installed(tracker: str) -> None:
    """Raises `TrackingError` where the tracker's package is missing."""
    if importlib.util.find_spec(tracker) is None:
        raise TrackingError(f"{tracker} is not installed: pip install -r requirements-trackers.txt.")

"""Downloads of weights that visitors ask for: one for all of them, in a thread of its own."""

from threading import Lock, Thread, current_thread
from typing import Any, NamedTuple

from core.config import knobs
from core.errors import UserError
from core.io.paths import hide_folder
from core.weights.download import DOWNLOADED, CancelledError, Published, fetch, published
from playground.support.wording import hide_server

HERE, ABSENT, RUNNING, FAILED = "here", "absent", "running", "failed"
MAX_WAITING = 1000  # windows that wait for a download
MAX_WINDOW = 64  # characters of a window's name


class DownloadState(NamedTuple):
    """The state of a download.

    Attributes:
        status: `HERE`, `ABSENT`, `RUNNING` or `FAILED`.
        done: Bytes that have arrived.
        total: Bytes of the whole file.
        message: Why it failed.
    """

    status: str
    done: int
    total: int
    message: str = ""


class Downloads:
    """Downloads of weights. One goes on as long as a visitor waits for it; a later visitor joins it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, set[str]] = {}  # windows by address of the weights
        self._running: dict[str, Thread] = {}
        self._states: dict[str, DownloadState] = {}

    def join(self, weights: Published, window: str) -> DownloadState:
        """Starts the download of weights, or joins the one that is running.

        Args:
            weights: The weights.
            window: Any text that names the window which waits.
        """
        with self._lock:
            waiting = self._waiting.setdefault(weights.url, set())
            if len(waiting) < MAX_WAITING:
                waiting.add(window)
            if not weights.is_here and weights.url not in self._running:
                self._states[weights.url] = DownloadState(RUNNING, 0, weights.size)
                thread = Thread(target=self._fetch, args=(weights,), name="download", daemon=True)
                self._running[weights.url] = thread
                thread.start()
        return self.read(weights)

    def leave(self, weights: Published, window: str) -> DownloadState:
        """Stops waiting; the last one who leaves cancels the download, of which the arrived part is kept."""
        with self._lock:
            self._waiting.get(weights.url, set()).discard(window)
        return self.read(weights)._replace(status=HERE if weights.is_here else ABSENT, message="")

    def read(self, weights: Published) -> DownloadState:
        """Returns the state of a download."""
        if weights.is_here:
            return DownloadState(HERE, weights.size, weights.size)
        with self._lock:
            return self._states.get(weights.url, DownloadState(ABSENT, 0, weights.size))

    def _fetch(self, weights: Published) -> None:
        url, outcome = weights.url, DownloadState(ABSENT, 0, weights.size)

        def report(done: int, total: int) -> None:
            self._states[url] = DownloadState(RUNNING, done, total)

        try:
            fetch(weights, report, lambda: self._gives_up(weights))
        except CancelledError:
            pass
        except UserError as error:
            message = hide_server(hide_folder(str(error), weights.file.parent, "the disk"))
            outcome = outcome._replace(status=FAILED, message=message)
        finally:  # also after a defect, so that the next visitor can start it again
            with self._lock:
                if self._running.get(url) is current_thread():
                    self._end(url, outcome)

    def _gives_up(self, weights: Published) -> bool:
        """Returns True once nobody waits, and ends the download at once: who joins from then on starts another one."""
        with self._lock:
            if not self._waiting.get(weights.url):
                self._end(weights.url, DownloadState(ABSENT, 0, weights.size))
            return self._running.get(weights.url) is not current_thread()

    def _end(self, url: str, outcome: DownloadState) -> None:
        self._states[url] = outcome
        self._waiting.pop(url, None)
        self._running.pop(url, None)


DOWNLOADS = Downloads()


def download(request: object) -> dict[str, Any]:
    """Starts, leaves or reads a download for the browser, and returns its state.

    Args:
        request: A dict with the `name` and `depth` of the weights, the `window` that waits, and `verb`: "join", "leave"
            or "read"; untrusted.
    """
    asked = request if isinstance(request, dict) else {}
    name, depth, window = asked.get("name"), asked.get("depth"), str(asked.get("window"))[:MAX_WINDOW]
    if (
        not isinstance(name, str)
        or name not in DOWNLOADED
        or (name == "imagenet" and depth not in knobs()["model.depth"].choices)
    ):
        return DownloadState(FAILED, 0, 0, "These weights cannot be downloaded: reload the page.")._asdict()
    weights = published(name, depth if name == "imagenet" else 0)
    if asked.get("verb") == "join":
        return DOWNLOADS.join(weights, window)._asdict()
    if asked.get("verb") == "leave":
        return DOWNLOADS.leave(weights, window)._asdict()
    return DOWNLOADS.read(weights)._asdict()

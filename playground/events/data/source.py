"""What a visitor brings, the question about its format, and what has become of it."""

from collections import deque
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from core.errors import UserError
from playground.data.checking import Progress, RefusedError
from playground.data.datasets import DATA
from playground.data.stored.records import StoredDataSet
from playground.sharing.slots import IMPORTS
from playground.sharing.uploads import UPLOADS
from playground.state.page_state import PageState
from playground.support.visitors import visitor_of
from playground.support.wording import name_knobs


class Source(NamedTuple):
    """What a visitor brought.

    Attributes:
        place: The path of the uploaded zip, a file of its own (see `Uploads`), or what was typed as the folder.
        is_zip: True for a zip.
        formats: The keys of the formats that it can be read in, if a question about them is open.
    """

    place: str
    is_zip: bool
    formats: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name for people."""
        return Path(self.place).name if self.is_zip else self.place

    def add(self, state: PageState, format: str | None, request: gr.Request, progress: gr.Progress) -> StoredDataSet:
        """Adds the data set; raises the errors of `DataSets.add_zip` and `DataSets.add_folder`."""
        config, report, owner = state.config(), _report_to(progress), visitor_of(request)
        with IMPORTS.take(owner):
            if self.is_zip:
                return DATA.add_zip(Path(self.place), self.title, config, report, owner=owner, format=format)
            return DATA.add_folder(self.place, config, report, owner=owner, format=format)


class Arrival(NamedTuple):
    """What has become of an import, which may have taken minutes.

    Attributes:
        choices: What was on show when it began, see `PageState.choices`.
        outcome: The data set that was added, why one is refused, or the source that is asked about.
    """

    choices: dict[str, str]
    outcome: StoredDataSet | RefusedError | Source

    @property
    def message(self) -> str:
        """The message about the outcome."""
        match self.outcome:
            case RefusedError():
                return name_knobs(self.outcome)
            case Source():
                return (
                    f"{self.outcome.title} can be read in several formats: choose the right one under “Your own data”."
                )
        return f"The data set {self.outcome.name} is added: choose it above the picture."


class Question:
    """What a window is asked and told: imports of one window, which can run side by side, share it.

    Attributes:
        source: The source whose format is asked for, None for none.
        arrivals: What has become of imports and is not shown yet, in the order of their ends.
    """

    def __init__(self) -> None:
        self.source: Source | None = None
        self.arrivals: deque[Arrival] = deque()

    def ask(self, source: Source | None) -> None:
        """Asks about a source, or about none; a zip that was asked about before is removed."""
        before, self.source = self.source, source
        discard(before)

    def take(self, format: object) -> Source:
        """Returns the source, which is not asked about any more, to be read in a chosen format.

        Raises:
            UserError: No format that it can be read in is chosen.
        """
        source = self.source
        if source is None or format not in source.formats:
            raise UserError("No format is chosen: choose one from the list, or upload the data set again.")
        self.source = None
        return source

    def put_back(self, source: Source) -> None:
        """Asks about a source again, unless another one is asked about meanwhile."""
        if self.source:
            discard(source)
        else:
            self.source = source


def discard(source: Source | None) -> None:
    """Removes an uploaded zip; a folder stays."""
    if source and source.is_zip:
        UPLOADS.drop(Path(source.place))


def _report_to(progress: gr.Progress) -> Progress:
    """Returns a function that shows every hundredth of the work on the page."""

    def report_progress(done: int, total: int) -> None:
        if done % max(1, total // 100) == 0:
            progress((done, total), unit="pictures")

    return report_progress

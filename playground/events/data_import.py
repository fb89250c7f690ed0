"""Importing data sets: a zip or a folder is checked and opened, or a question about its format is asked."""

from pathlib import Path
from typing import NamedTuple

import gradio as gr

from core.data.formats import FORMATS
from core.data.reading.format_detection import AmbiguousFormatError
from core.errors import UserError
from playground.data.checking import Progress, RefusedError
from playground.data.datasets import DATA
from playground.data.report import build_report
from playground.data.sources import find_first_usable
from playground.data.stored.records import StoredDataSet
from playground.events.common import UPLOADS_AT_ONCE, EventOptions, Updates, listen, part_updates, show
from playground.events.picture import show_image
from playground.layout.components import DataControls, PageComponents
from playground.layout.page_update import PageUpdate
from playground.sharing.slots import IMPORTS
from playground.sharing.uploads import UPLOADS
from playground.state.page_state import PageState
from playground.support.visitors import visitor_of
from playground.support.wording import name_knobs

STEP = "picture"  # shows the numbers of the data set
CHANGES = ("user_picture", "pick", "step")
PROGRESS = gr.Progress()  # as a parameter's default, it makes Gradio pass the progress of the event


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


class Question:
    """What a window is asked about: imports of one window, which can run side by side, share it.

    Attributes:
        source: The source whose format is asked for, None for none.
    """

    def __init__(self) -> None:
        self.source: Source | None = None

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


class DataImport:
    """The upload, the folder and the question about the format.

    Args:
        page: The page's components.
        controls: The controls of data sets.
    """

    def __init__(self, page: PageComponents, controls: DataControls) -> None:
        self._page, self._controls = page, controls
        self.question = gr.State(Question(), delete_callback=lambda question: question.ask(None))

    def connect(self) -> None:
        """Connects the controls."""
        controls, options = self._controls, progress_options(self._controls)
        outputs = [controls.format, controls.answer, self.question]
        events = (
            (controls.archive.upload, self.upload, controls.archive),
            (controls.use_folder.click, self.use_folder, controls.folder),
            (controls.answer.click, self.answer, controls.format),
        )
        for event, handler, value in events:
            inputs = [value, self.question]
            listen(self._page, event, handler, inputs=inputs, changes=CHANGES, outputs=outputs, **options)

    def upload(
        self,
        state: PageState,
        file: str,
        question: Question,
        *,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> Updates:
        """Adds an uploaded zip; an open question is closed."""
        question.ask(None)
        try:
            own = UPLOADS.take(Path(file or "The file"))
        except UserError as error:
            return {**part_updates(self._page, PageUpdate(str(error))), **self._hide_closed(question)}
        return self._bring(state, Source(str(own), True), question, request, progress)

    def use_folder(
        self,
        state: PageState,
        folder: str,
        question: Question,
        *,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> Updates:
        """Adds a folder of the server; an open question is closed."""
        question.ask(None)
        return self._bring(state, Source(folder or "", False), question, request, progress)

    def answer(
        self,
        state: PageState,
        format: object,
        question: Question,
        *,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> Updates:
        """Adds the data set in question in the chosen format; if that fails, the question stays open.

        Raises:
            UserError: No format is chosen, or the data set cannot be added.
        """
        source = question.take(format)
        try:
            stored = source.add(state, str(format), request, progress)
        except BaseException as error:
            question.put_back(source)
            if isinstance(error, RefusedError):
                return self._show_refusal(state, error)
            raise
        discard(source)
        return {**self._open(state, stored), **self._hide_closed(question)}

    def _bring(
        self, state: PageState, source: Source, question: Question, request: gr.Request, progress: gr.Progress
    ) -> Updates:
        try:
            updates = self._open(state, source.add(state, None, request, progress))
        except AmbiguousFormatError as error:
            return self._ask(state, source._replace(formats=error.formats), question)
        except RefusedError as error:
            updates = self._show_refusal(state, error)
        except UserError as error:
            updates = part_updates(self._page, PageUpdate(name_knobs(error)))
        except BaseException:
            discard(source)
            raise
        discard(source)
        return {**updates, **self._hide_closed(question)}

    def _open(self, state: PageState, stored: StoredDataSet) -> Updates:
        """Shows a data set that has been added, whatever its pictures are like."""
        try:
            return open_data_set(self._page, state, stored)
        except UserError as error:
            notice = f"The data set {stored.name} is added, but none of its pictures can be shown: {name_knobs(error)}"
            return part_updates(self._page, PageUpdate(notice))

    def _ask(self, state: PageState, source: Source, question: Question) -> Updates:
        """Asks in which format a data set is to be read."""
        question.ask(source)
        choices = [(format.name, format.key) for format in FORMATS if format.key in source.formats]
        text = f"{source.title} can be read in several formats: choose the right one under “Your own data”."
        return {
            **show(self._page, state._replace(step=STEP, began=None), "step"),
            self._page.parts["notice"]: text,
            self._controls.format: gr.Radio(choices, value=None, label=f"The format of {source.title}", visible=True),
            self._controls.answer: gr.Button(visible=True),
            self.question: question,  # noted as changed: else Gradio would not clean up after it
        }

    def _hide_closed(self, question: Question) -> Updates:
        """Hides the question, unless another import has asked one meanwhile."""
        if question.source:
            return {}
        return {self._controls.format: gr.Radio(visible=False), self._controls.answer: gr.Button(visible=False)}

    def _show_refusal(self, state: PageState, error: RefusedError) -> Updates:
        """Shows what is wrong with a data set."""
        text = build_report("The data set", error.check, error.check.sizes, error.check.issues)
        updates = show(self._page, state._replace(step=STEP, began=None), "step")
        return {**updates, self._page.parts["notice"]: name_knobs(error), self._page.parts["readout"]: text}


def progress_options(controls: DataControls) -> EventOptions:
    """Returns the options of events that change data sets: some side by side, with their progress on show."""
    return {
        "show_progress": "full",
        "show_progress_on": [controls.split],
        "concurrency_id": "data",
        "concurrency_limit": UPLOADS_AT_ONCE,
    }


def open_data_set(page: PageComponents, state: PageState, stored: StoredDataSet) -> Updates:
    """Shows the first picture of a data set that can be used.

    Raises:
        UserError: There is none, or the data set cannot be read.
    """
    image_ref = find_first_usable(stored.name, stored.splits, state.config())
    return show(page, show_image(state._replace(step=STEP), image_ref), *CHANGES)


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

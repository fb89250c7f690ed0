"""Importing data sets: a zip or a folder is checked and opened, or a question about its format is asked."""

from pathlib import Path
from typing import NamedTuple

import gradio as gr

from core.data.folders import AmbiguousFormatError
from core.data.formats import FORMATS
from core.errors import UserError
from playground.data import browse
from playground.data.datasets import DATA, Progress, RefusedError
from playground.data.records import StoredDataSet
from playground.data.report import build_report
from playground.events.common import EventOptions, Updates, listen, show
from playground.events.picture import show_image
from playground.layout.components import DataControls, PageComponents
from playground.state.page_state import PageState
from playground.support.visitors import visitor_of

STEP = "picture"  # shows the numbers of the data set
CHANGES = ("user_picture", "pick", "step")
PROGRESS = gr.Progress()  # as a parameter's default, it makes Gradio pass the progress of the event


class Source(NamedTuple):
    """What a visitor brought.

    Attributes:
        place: The path of the uploaded zip, or what was typed as the folder.
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
        if self.is_zip:
            return DATA.add_zip(Path(self.place), self.title, config, report, owner=owner, format=format)
        return DATA.add_folder(self.place, config, report, owner=owner, format=format)


def connect_import(page: PageComponents, controls: DataControls) -> None:
    """Connects the upload, the folder and the question about the format."""
    open_question = gr.State(None, delete_callback=discard)

    def bring(state: PageState, source: Source, request: gr.Request, progress: gr.Progress) -> Updates:
        try:
            updates = open_data_set(page, state, source.add(state, None, request, progress))
        except AmbiguousFormatError as error:
            asked = source._replace(formats=error.formats)
            return {**_ask(page, controls, state, asked), open_question: asked}
        except RefusedError as error:
            updates = _show_refusal(page, state, error)
        except BaseException:
            discard(source)
            raise
        discard(source)
        return {**updates, **_close(controls), open_question: None}

    def upload(
        state: PageState, file: str, before: Source | None, *, request: gr.Request, progress: gr.Progress = PROGRESS
    ) -> Updates:
        discard(before)
        return bring(state, Source(file, True), request, progress)

    def use(
        state: PageState, folder: str, before: Source | None, *, request: gr.Request, progress: gr.Progress = PROGRESS
    ) -> Updates:
        discard(before)
        return bring(state, Source(folder, False), request, progress)

    def answer(
        state: PageState,
        format: object,
        source: Source | None,
        *,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> Updates:
        if source is None or format not in source.formats:
            raise UserError("No format is chosen: choose one from the list, or upload the data set again.")
        try:
            updates = open_data_set(page, state, source.add(state, format, request, progress))
        except RefusedError as error:
            return _show_refusal(page, state, error)  # the question stays: another format may be right
        discard(source)
        return {**updates, **_close(controls), open_question: None}

    outputs = [controls.format, controls.answer, open_question]
    events = (
        (controls.archive.upload, upload, controls.archive),
        (controls.use_folder.click, use, controls.folder),
        (controls.answer.click, answer, controls.format),
    )
    for event, handler, value in events:
        options = progress_options(controls)
        listen(page, event, handler, inputs=[value, open_question], changes=CHANGES, outputs=outputs, **options)


def progress_options(controls: DataControls) -> EventOptions:
    """Returns the options of events that change data sets: one at a time, with their progress on show."""
    return {
        "show_progress": "full",
        "show_progress_on": [controls.split],
        "concurrency_id": "data",
        "concurrency_limit": 1,
    }


def open_data_set(page: PageComponents, state: PageState, stored: StoredDataSet) -> Updates:
    """Shows the first picture of a data set."""
    state = show_image(state._replace(step=STEP), browse.choose_picture(None, stored.name, None, None))
    return show(page, state, *CHANGES)


def discard(source: Source | None) -> None:
    """Removes an uploaded zip; a folder stays."""
    if source and source.is_zip:
        Path(source.place).unlink(missing_ok=True)


def _ask(page: PageComponents, controls: DataControls, state: PageState, source: Source) -> Updates:
    """Asks in which format a data set is to be read."""
    choices = [(format.name, format.key) for format in FORMATS if format.key in source.formats]
    text = f"{source.title} can be read in several formats: choose the right one under “Your own data”."
    return {
        **show(page, state._replace(step=STEP), "step"),
        page.parts["notice"]: text,
        controls.format: gr.Radio(choices, value=None, label=f"The format of {source.title}", visible=True),
        controls.answer: gr.Button(visible=True),
    }


def _show_refusal(page: PageComponents, state: PageState, error: RefusedError) -> Updates:
    """Shows what is wrong with a data set."""
    text = build_report("The data set", error.check, error.check.sizes, error.check.issues)
    updates = show(page, state._replace(step=STEP), "step")
    return {**updates, page.parts["notice"]: str(error), page.parts["readout"]: text}


def _close(controls: DataControls) -> Updates:
    return {controls.format: gr.Radio(visible=False), controls.answer: gr.Button(visible=False)}


def _report_to(progress: gr.Progress) -> Progress:
    """Returns a function that shows every hundredth of the work on the page."""

    def report_progress(done: int, total: int) -> None:
        if done % max(1, total // 100) == 0:
            progress((done, total), unit="pictures")

    return report_progress

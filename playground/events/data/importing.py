"""Importing data sets: a zip or a folder is checked and opened, or a question about its format is asked."""

from pathlib import Path

import gradio as gr

from core.data.formats import FORMATS
from core.data.reading.format_detection import AmbiguousFormatError
from core.errors import UserError
from playground.data.checking import RefusedError
from playground.data.report import build_report
from playground.data.sources import find_first_usable
from playground.data.stored.records import StoredDataSet
from playground.events.common import LIVE, UPLOADS_AT_ONCE, EventOptions, Updates, listen, part_updates, show
from playground.events.data.source import Arrival, Question, Source, discard
from playground.events.picture import show_image
from playground.layout.components import DataControls, PageComponents
from playground.layout.page_update import PageUpdate
from playground.sharing.uploads import UPLOADS
from playground.state.page_state import PageState
from playground.support.wording import name_knobs

STEP = "picture"  # shows the numbers of the data set
CHANGES = ("user_picture", "pick", "step")
PROGRESS = gr.Progress()  # as a parameter's default, it makes Gradio pass the progress of the event


class DataImport:
    """The upload, the folder and the question about the format.

    An import and what it shows are two events: the second one reads where the visitor has gone meanwhile.

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
        uploading: EventOptions = {**options, "trigger_mode": "multiple"}  # the answer says so if it is one too many
        events = (
            (controls.archive.upload, self.upload, controls.archive, uploading),
            (controls.use_folder.click, self.use_folder, controls.folder, options),
            (controls.answer.click, self.answer, controls.format, options),
        )
        for event, handler, value, how in events:
            inputs = [value, self.question]
            brought = listen(self._page, event, handler, inputs=inputs, outputs=outputs, **how)
            asked = [self.question]
            # Each arrival has an answer: of two at the same time, the second would come with the next import.
            each: EventOptions = {**LIVE, "trigger_mode": "multiple"}
            listen(self._page, brought.success, self.show_arrival, inputs=asked, changes=CHANGES, outputs=asked, **each)

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
                return self._arrive(state, error, question)
            raise
        discard(source)
        return {**self._arrive(state, stored, question), **self._hide_closed(question)}

    def _bring(
        self, state: PageState, source: Source, question: Question, request: gr.Request, progress: gr.Progress
    ) -> Updates:
        try:
            updates = self._arrive(state, source.add(state, None, request, progress), question)
        except AmbiguousFormatError as error:
            return self._ask(state, source._replace(formats=error.formats), question)
        except RefusedError as error:
            updates = self._arrive(state, error, question)
        except UserError as error:
            updates = part_updates(self._page, PageUpdate(name_knobs(error)))
        except BaseException:
            discard(source)
            raise
        discard(source)
        return {**updates, **self._hide_closed(question)}

    def show_arrival(self, state: PageState, question: Question) -> Updates:
        """Shows what has become of an import; where the visitor has gone on to something else, only says it."""
        if not question.arrivals:
            return {self.question: gr.skip()}
        arrival, notice = question.arrivals.popleft(), self._page.parts["notice"]
        if state.choices() != arrival.choices:
            return {**show(self._page, state), notice: arrival.message}
        said: Updates = {notice: arrival.message}
        match arrival.outcome:
            case StoredDataSet():
                return self._open(state, arrival.outcome)
            case RefusedError(check=check):
                said[self._page.parts["readout"]] = build_report("The data set", check, check.sizes, check.issues)
        return {**show(self._page, state._replace(step=STEP), "step"), **said}

    def _arrive(self, state: PageState, outcome: StoredDataSet | RefusedError | Source, question: Question) -> Updates:
        question.arrivals.append(Arrival(state.choices(), outcome))
        return {self.question: question}  # noted as changed: else Gradio would not clean up after it

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
        return {
            **self._arrive(state, source, question),
            self._controls.format: gr.Radio(choices, value=None, label=f"The format of {source.title}", visible=True),
            self._controls.answer: gr.Button(visible=True),
        }

    def _hide_closed(self, question: Question) -> Updates:
        """Hides the question, unless another import has asked one meanwhile."""
        if question.source:
            return {}
        return {self._controls.format: gr.Radio(visible=False), self._controls.answer: gr.Button(visible=False)}


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

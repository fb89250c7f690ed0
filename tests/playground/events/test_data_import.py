"""Imports of data sets: what becomes of the zip and of the question about its format, whatever goes wrong."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from core.analysis.dataset_check import DataCheck
from core.config import Config
from core.errors import UserError
from playground.data.checking import RefusedError
from playground.data.datasets import DATA
from playground.data.image_ref import ImageRef
from playground.events.data.importing import DataImport
from playground.events.data.source import Question
from playground.layout.layout import lay_out
from playground.sharing.uploads import Uploads
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from tests.core.made_data import coco, voc, voc_object, yolo
from tests.playground.data.test_datasets import zipped

pytestmark = pytest.mark.slow

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}
STATE = PageState("picture", settings=settings_of(Config.from_flat(SMALL)))
SENDER = {"request": SimpleNamespace(cookies={}), "progress": lambda *done, **unit: None}
LINE = "0 0.5 0.5 0.5 0.5"


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    uploads = Uploads()
    for module in ("importing", "source"):
        monkeypatch.setattr(f"playground.events.data.{module}.UPLOADS", uploads)
    before = DATA.library.folder
    DATA.use_folder(tmp_path / "kept")
    yield
    DATA.use_folder(before)


@pytest.fixture
def page():
    with gr.Blocks(analytics_enabled=False):
        yield lay_out()


@pytest.fixture
def importer(page):
    return DataImport(page, page.controls.picture.data)


@pytest.fixture
def two_formats(tmp_path):
    folder = coco(tmp_path / "two")
    return str(zipped(voc(folder, {f"p{number}": voc_object("horse") for number in range(10)}), "two.zip"))


@pytest.fixture
def damaged_first(tmp_path):
    folder = yolo(tmp_path / "set", {f"p{number}": LINE for number in range(10)})
    for number in (0, 1):
        (folder / "images" / f"p{number}.png").write_bytes(b"no picture")
    return str(zipped(folder, "mine.zip"))


def upload(importer, file: str, question: Question | None = None):
    question = question or Question()
    return arrived(importer, importer.upload(STATE, file, question, **SENDER), question)


def arrived(importer, updates, question: Question, state: PageState = STATE):
    """Returns the updates of an import and of what it shows then."""
    return {**updates, **importer.show_arrival(state, question)}


def taken() -> list[Path]:
    """The files of their own that handlers still have."""
    return list(Path(gr.utils.get_upload_folder()).glob(".own.*/*/*"))


def is_closed(importer, page, updates) -> bool:
    controls = page.controls.picture.data
    return not updates[controls.format].visible


def shown(page, updates) -> ImageRef:
    return updates[page.state["user_picture"]].image_ref


def test_a_question_is_asked_and_answered(importer, page, two_formats):
    asked = upload(importer, two_formats)
    question, controls = asked[importer.question], page.controls.picture.data
    source = question.source
    assert source.formats == ("coco", "voc") and asked[controls.format].visible and Path(source.place).exists()
    with pytest.raises(UserError, match="No format is chosen"):
        importer.answer(STATE, "yolo", question, **SENDER)
    answered = arrived(importer, importer.answer(STATE, "voc", question, **SENDER), question)
    assert is_closed(importer, page, answered) and not Path(source.place).exists()
    assert shown(page, answered) == ImageRef("two", "train")


def test_a_failed_upload_closes_the_question_before_it(importer, page, two_formats, tmp_path):
    question = upload(importer, two_formats)[importer.question]
    noise = tmp_path / "noise.zip"
    noise.write_bytes(b"PK\x03\x04 no zip at all")
    updates = upload(importer, str(noise), question)
    assert is_closed(importer, page, updates) and "noise.zip is not a zip" in updates[page.parts["notice"]]
    assert not taken() and Path(two_formats).exists()
    with pytest.raises(UserError, match="No format is chosen"):
        importer.answer(STATE, "voc", question, **SENDER)


def test_an_import_does_not_close_a_question_that_another_one_asks_meanwhile(
    importer, page, two_formats, damaged_first, monkeypatch
):
    question, add_zip, asked = Question(), DATA.add_zip, []

    def ask_meanwhile(*arguments, **options):
        monkeypatch.setattr(DATA, "add_zip", add_zip)
        asked.append(upload(importer, two_formats, question))
        return add_zip(*arguments, **options)

    monkeypatch.setattr(DATA, "add_zip", ask_meanwhile)
    updates = upload(importer, damaged_first, question)
    assert shown(page, updates).source == "mine" and page.controls.picture.data.format not in updates
    assert [str(path) for path in taken()] == [question.source.place]
    answered = arrived(importer, importer.answer(STATE, "voc", question, **SENDER), question)
    assert is_closed(importer, page, answered) and not taken()


def test_of_two_questions_the_later_one_stays_and_no_file_is_left(importer, page, two_formats, monkeypatch):
    question, add_zip = Question(), DATA.add_zip

    def ask_meanwhile(*arguments, **options):
        monkeypatch.setattr(DATA, "add_zip", add_zip)
        upload(importer, two_formats, question)
        return add_zip(*arguments, **options)

    monkeypatch.setattr(DATA, "add_zip", ask_meanwhile)
    updates = upload(importer, two_formats, question)
    assert updates[page.controls.picture.data.format].visible
    assert [str(path) for path in taken()] == [question.source.place]
    question.ask(None)  # as when the window is closed
    assert not taken()


def test_a_refused_answer_leaves_the_question_open(importer, page, two_formats, monkeypatch):
    def refuse(*arguments, **options):
        raise RefusedError("two.zip cannot be used.", DataCheck(None, (), {}, {}, ()))

    question = upload(importer, two_formats)[importer.question]
    source = question.source
    monkeypatch.setattr(DATA, "add_zip", refuse)
    updates = arrived(importer, importer.answer(STATE, "coco", question, **SENDER), question)
    assert updates[page.parts["notice"]] == "two.zip cannot be used."
    assert (
        question.source == source and page.controls.picture.data.format not in updates and Path(source.place).exists()
    )


def test_a_data_set_opens_with_its_first_usable_picture(importer, page, damaged_first):
    updates = upload(importer, damaged_first)
    assert is_closed(importer, page, updates) and DATA.library.names() == ("mine",)
    name = updates[page.state["user_picture"]].picture.name
    assert shown(page, updates).split == "train" and name not in ("p0.png", "p1.png")


def test_a_data_set_that_is_added_but_cannot_be_shown_is_no_failed_import(importer, page, damaged_first, monkeypatch):
    def fail(*arguments):
        raise UserError("The picture is gone.")

    monkeypatch.setattr("playground.events.data.importing.open_data_set", fail)
    updates = upload(importer, damaged_first)
    assert is_closed(importer, page, updates) and not taken()
    assert updates[page.parts["notice"]] == (
        "The data set mine is added, but none of its pictures can be shown: The picture is gone."
    )


def test_a_defect_is_no_notice_and_leaves_no_file(importer, damaged_first, monkeypatch):
    monkeypatch.setattr(DATA, "add_zip", lambda *arguments, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        upload(importer, damaged_first)
    assert not taken()


def test_a_file_that_two_visitors_upload_is_there_for_both(page, importer, tmp_path):
    """Gradio names an upload after its content, so that it is one file for both."""
    folder = yolo(tmp_path / "set", {f"p{number}": LINE for number in range(10)})
    shared = zipped(folder, "mine.zip")
    with ThreadPoolExecutor(2) as both:
        found = list(both.map(lambda _: upload(importer, str(shared)), range(2)))
    assert [is_closed(importer, page, each) for each in found] == [True, True]
    assert {shown(page, each).source for each in found} == set(DATA.library.names()) and len(DATA.library.names()) == 2
    assert not taken()


def test_an_upload_that_is_gone_is_one_sentence(page, importer, two_formats, tmp_path):
    question = upload(importer, two_formats)[importer.question]
    updates = upload(importer, str(tmp_path / "gone.zip"), question)
    assert updates[page.parts["notice"]] == "gone.zip did not arrive: upload it again."
    assert is_closed(importer, page, updates) and not taken()


@pytest.mark.parametrize("elsewhere", [{"step": "loss"}, {"lesson": "focal.2"}])
def test_who_has_gone_on_meanwhile_stays_there_and_is_told(importer, page, damaged_first, two_formats, elsewhere):
    there, notice = STATE._replace(**elsewhere), page.parts["notice"]
    for file, said in (
        (damaged_first, "The data set mine is added: choose it above the picture."),
        (two_formats, "two.zip can be read in several formats: choose the right one under “Your own data”."),
    ):
        question = Question()
        importer.upload(STATE, file, question, **SENDER)
        shown = importer.show_arrival(there._replace(began=there), question)
        assert shown[notice] == said and not question.arrivals
        assert not {page.state[name] for name in ("step", "user_picture", "lesson")} & set(shown)


def test_each_of_two_imports_side_by_side_is_told(importer, page, damaged_first, two_formats):
    question, notice = Question(), page.parts["notice"]
    for file in (damaged_first, two_formats):
        importer.upload(STATE, file, question, **SENDER)
    first, second = (importer.show_arrival(STATE, question) for _ in range(2))
    assert shown(page, first).source == "mine" and "two.zip can be read" in second[notice]


def test_after_an_import_that_brought_nothing_its_message_stays(importer):
    question = Question()
    assert list(importer.show_arrival(STATE, question)) == [importer.question]  # Gradio refuses an empty answer

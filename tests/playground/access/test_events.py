"""What a component does not take is refused in one sentence."""

import math

import gradio as gr
import pytest

from playground.access.events import PageBlocks
from playground.access.refusals import SENTENCES
from playground.support.wording import NOT_READ
from tests.waiting import run

RANGE = "“Seed” must be a number from 0 to 9."
GONE = "What was chosen in “Loss” is not there any more: choose again, or reload the page."


@pytest.fixture(scope="module")
def blocks():
    with PageBlocks(analytics_enabled=False) as made:
        number = gr.Number(1, minimum=0, maximum=9, label="Seed")
        choice = gr.Dropdown(["a", "b"], label="Loss")
        number.change(lambda *values: values, [number, choice])
    return made


def read(blocks, *values):
    return run(blocks.preprocess_data(blocks.fns[0], list(values), None))


@pytest.mark.slow
def test_what_the_page_offers_is_taken(blocks):
    assert read(blocks, 9, "b") == [9, "b"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((10, "a"), RANGE),
        ((-1, "a"), RANGE),
        ((math.inf, "a"), RANGE),
        ((10**400, "a"), RANGE),
        ((1, "c"), GONE),
        ((1, "x" * 10**5), GONE),
        (("1", "a"), NOT_READ),
        (([], "a"), NOT_READ),
        ((1, {}), NOT_READ),
        ((1, ["a"]), NOT_READ),
        ((1,), NOT_READ),
    ],
    ids=str,
)
def test_what_it_does_not_offer_is_refused(blocks, values, said):
    with pytest.raises(gr.Error) as caught:
        read(blocks, *values)
    assert caught.value.message == said and not caught.value.print_exception


def test_a_full_disk_is_named(blocks, monkeypatch):
    async def fill(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gradio.processing_utils.async_move_files_to_cache", fill)
    with pytest.raises(gr.Error) as caught:
        read(blocks, 1, "a")
    assert caught.value.message == SENTENCES[507]

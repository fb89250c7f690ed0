import pytest

from core.config import Config
from playground.canvas.edit import Pick
from playground.server.permalink import to_link, unknown_names
from playground.state.page_state import PageState


@pytest.mark.parametrize("names", ["", "training", "training,loss.alpha", " loss , pin", "all-knobs,lessons"])
def test_what_is_known_is_not_spoken_of(names):
    assert unknown_names(f"step=loss&hide={names}") == ""


def test_what_is_not_known_is_named_with_what_may_have_been_meant():
    said = unknown_names("hide=loss.gama,training,tarining")
    assert "'loss.gama' hides nothing: did you mean loss.gamma?" in said and "did you mean training?" in said
    assert said.count("hides nothing") == 2
    assert "it may name steps (picture, " in unknown_names("hide=zzz") and len(unknown_names("hide=" + "z" * 999)) < 300


def test_a_state_with_text_that_cannot_be_written_has_a_link():
    pick = Pick(1, 2, "\ud800", 3)
    assert to_link(PageState("training", run="\ud800", pick=pick), Config()) == "step=training&pick=1,2,%3F,3&run=%3F"

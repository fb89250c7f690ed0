import pytest

from core.config import ConfigError
from playground.server.permalink import from_link, to_link
from playground.steps.dials import USUAL, Dials, OfAnchor, parse_dials, set_dial


def test_texts_lead_back():
    dials = Dials("ap", 7, 0.75, "red cell, & more", OfAnchor(3, (1.0, 2.0, 30.5, 40.0)), OfAnchor(3, (0.0, -1, 2, 5)),
                  "box", "features", across="loss", down="gamma", atlas="focal,2,0.25,0.01,0.1")  # fmt: skip
    assert parse_dials(dials.to_text()) == dials
    assert Dials().to_text() == "" and parse_dials("") == Dials()
    assert dials.to_values()["box"] == "3,1,2,30.5,40"


def test_a_star_is_the_default():
    for name in Dials._fields:
        assert set_dial(Dials("ap", 7, 0.75, "a"), name, USUAL)._asdict()[name] == Dials()._asdict()[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [("graph", "pie"), ("counted", "-1"), ("counted", "nan"), ("counted", "x"), ("match", "0"), ("match", "1"),
     ("match", "inf"), ("of", "x" * 1000), ("box", "1,2,3"), ("box", "1,2,3,4,nan"), ("box", "0,10,10,10,30"),
     ("box", "0,30,10,10,30"), ("box", "-1,0,0,9,9"), ("box", "0,0,0,9,1e9"), ("deltas", "0,1,2,3,1e6"),
     ("deltas", ""), ("why", "colour"), ("why_at", ""), ("across", "speed"), ("down", ""), ("speed", "1")],
)  # fmt: skip
def test_values_that_are_not_allowed_are_refused(name, value):
    with pytest.raises(ConfigError, match=r"is not allowed|at least one pixel"):
        set_dial(Dials(), name, value)
    with pytest.raises(ConfigError):
        from_link(f"step=detections&{name}={value}")


@pytest.mark.parametrize("value", ["", "focal", "focal,2,0.25,0.01,7", "9" * 400])
def test_the_atlas_shows_runs_that_it_has(value):
    with pytest.raises(ConfigError, match="no such run"):
        set_dial(Dials(), "atlas", value)


def test_a_long_text_is_refused():
    with pytest.raises(ConfigError, match="choose the figure again"):
        parse_dials("of=" + "x" * 600)


def test_links_hold_the_dials():
    state = from_link("step=detections&graph=ap&counted=7&of=leaf")
    assert parse_dials(state.dials) == Dials("ap", 7, of="leaf")
    assert to_link(state, state.config()) == "step=detections&graph=ap&counted=7&of=leaf"
    assert state.focus().dials == Dials("ap", 7, of="leaf")

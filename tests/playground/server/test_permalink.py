import pytest

from core.config import Config, ConfigError
from core.errors import UserError
from playground.canvas.edit import Pick
from playground.events.settings import select_in_strip
from playground.lessons.position import LessonPosition
from playground.server.opening import unknown_names
from playground.server.permalink import from_link, to_link
from playground.state.page_state import PageState
from playground.steps import STEPS


@pytest.mark.parametrize("names", ["", "training", "training,loss.alpha", " loss , pin", "all-knobs,lessons"])
def test_what_is_known_is_not_spoken_of(names):
    assert unknown_names(f"step=loss&hide={names}") == ""


def test_what_is_not_known_is_named_with_what_may_have_been_meant():
    said = unknown_names("hide=loss.gama,training,tarining")
    assert "'loss.gama' hides nothing: did you mean loss.gamma?" in said and "did you mean training?" in said
    assert said.count("hides nothing") == 2
    assert "it may name steps (picture, " in unknown_names("hide=zzz") and len(unknown_names("hide=" + "z" * 999)) < 340


def test_a_state_with_text_that_cannot_be_written_has_a_link():
    pick = Pick(1, 2, "\ud800", 3)
    assert to_link(PageState("training", run="\ud800", pick=pick), Config()) == "step=training&pick=1,2,%3F,3&run=%3F"


@pytest.mark.parametrize("query", ["", "view=story", "hide=training&layers=-truth", "__theme=dark"])
def test_a_link_that_names_nothing_opens_the_story(query):
    state = from_link(query)
    assert state.in_story and state.step == "loss" and to_link(state, state.config()) == "view=story"


@pytest.mark.parametrize("query", ["step=picture", "loss.gamma=3", "lesson=focal.2", "step=loss", "pick=1,2"])
def test_a_link_that_names_anything_else_does_not(query):
    assert not from_link(query).in_story


def test_every_address_opens_what_it_was_written_for():
    for step in STEPS:
        link = to_link(PageState(step), Config())
        assert link == f"step={step}" and (from_link(link).step, from_link(link).in_story) == (step, False)
    moved = from_link("view=story&loss.gamma=0.5")
    assert moved.in_story and to_link(moved, moved.config()) == "view=story&loss.gamma=0.5"


@pytest.mark.parametrize("query", ["view=story&step=picture", "view=story&lesson=focal.1", "view=poster", "view="])
def test_a_link_that_contradicts_itself_is_refused(query):
    with pytest.raises(ConfigError, match="view = "):
        from_link(query)


def test_choosing_a_step_leaves_the_story_and_a_level_does_not():
    story = from_link("")
    assert not select_in_strip(story, "loss", None, None).in_story
    assert not select_in_strip(story, "anchors", None, None).in_story
    assert select_in_strip(story, None, None, 1).in_story and select_in_strip(story, "unknown", None, None).in_story
    assert select_in_strip(PageState("picture"), "loss", None, None, True).in_story  # the server had forgotten the page
    assert not story._replace(lesson="focal.1").in_story


def test_a_frame_in_another_page_shows_the_figure_of_one_step():
    assert from_link("embed=loss").step == from_link("step=training&embed=loss").step == "loss"
    assert from_link("embed=loss&loss.gamma=3").config().loss.gamma == 3
    lesson = from_link("lesson=focal.4&answer=1&embed=loss&loss.alpha=0.5")
    step = LessonPosition.from_link("focal.4").step
    assert lesson.lesson == "" and lesson.answer is None and lesson.curve == step.curve
    assert lesson.config() == step.config().replace({"loss.alpha": 0.5})
    assert from_link("lesson=average-precision.6&embed=detections").dials == "graph=ap&counted=1000"
    with pytest.raises(ConfigError, match="embed = 'network' is not allowed: it must be one of picture, anchors,"):
        from_link("embed=network")


def test_a_frame_in_another_page_shows_the_picture_of_any_step():
    assert [from_link(f"embed=picture{step}").step for step in ("", "&step=detections", "&step=network")] == [
        "picture", "detections", "network"
    ]  # fmt: skip
    lesson = from_link("lesson=focal.4&embed=picture&step=loss")
    assert (lesson.lesson, lesson.step, lesson.in_story) == ("", "loss", False)


def test_many_unknown_names_are_counted_and_long_values_are_cut():
    said = unknown_names("hide=" + ",".join(f"x{number}" for number in range(5000)))
    assert said.count("hides nothing") == 5 and "4,995 more unknown names" in said and len(said) < 2000
    for name in ("view", "embed", "step", "p_t", "pick", "lesson", "map"):
        with pytest.raises(UserError) as caught:
            from_link(f"{name}={'x' * 5000}")
        assert len(str(caught.value)) < 500

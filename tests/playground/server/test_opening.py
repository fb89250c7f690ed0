"""Opening a link: what it cannot hold is kept from the page that opens it, or said."""

from core.config import Config
from playground.pipeline.pipeline import Pipeline
from playground.server.opening import NOT_DRAWN, follow_link
from playground.server.permalink import to_link
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.state.user_picture import draw_objects

CONFIG = Config.from_flat({"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1})


def test_drawn_objects_stay_on_the_page_that_has_them_and_are_missed_elsewhere():
    state = PageState("picture", settings=settings_of(CONFIG))
    pipeline = state.pipeline()
    box = {"x1": 9, "y1": 9, "x2": 48, "y2": 48, "label": 2}
    drawn = draw_objects({"boxes": [box], "classes": list(pipeline.class_names)}, pipeline)
    query = to_link(state._replace(user_picture=drawn), CONFIG)
    assert "drawn=true" in query and "drawn" not in to_link(state, CONFIG)
    assert follow_link(query, drawn) == (state._replace(user_picture=drawn), "")
    elsewhere = CONFIG.replace({"scenes.seed": 5})
    assert follow_link(query, drawn._replace(scenes=elsewhere.scenes)).message == NOT_DRAWN  # drawn on another scene
    opened, message = follow_link(query)
    assert message == NOT_DRAWN and opened.user_picture is None and opened.config() == CONFIG
    assert len(Pipeline(opened.pipeline().picture, CONFIG).objects[0]) == len(pipeline.objects[0])


def test_a_scene_of_other_settings_has_no_drawn_objects():
    pipeline = PageState("picture", settings=settings_of(CONFIG)).pipeline()
    drawn = draw_objects({"boxes": [], "classes": list(pipeline.class_names)}, pipeline)
    other = CONFIG.replace({"scenes.seed": 5})
    assert "drawn" not in to_link(PageState("picture", drawn, settings=settings_of(other)), other)

import json

import gradio as gr
import pytest

from core.config import Config, ConfigError, knobs
from playground.layout.knob_widgets import element_id, make_widget
from playground.state.settings import config_of, on_change, settings_of

CHANGED = Config.from_flat(
    {
        "model.depth": 50,
        "anchors.ratios": (0.5, 3.0),
        "loss.gamma": 0.5,
        "training.learning_rate": 2e-4,
        "scenes.seed": 9,
    }
)


@pytest.mark.parametrize("config", [Config(), CHANGED])
def test_widgets_and_settings_round_trip(config):
    assert config_of(settings_of(config)) == config


@pytest.mark.parametrize("path", knobs())
def test_every_hyperparameter_has_a_widget_that_shows_its_default(path):
    knob = knobs()[path]
    widget = make_widget(knob, knob.default)
    assert widget.interactive and knob.label in widget.label and widget.info == knob.help
    assert widget.elem_id == element_id(path)
    shown = widget.value
    assert (tuple(shown) if knob.kind == "list" else shown) == knob.default


def test_kinds_of_widgets():
    kinds = {path: type(make_widget(knob, knob.default)) for path, knob in knobs().items()}
    assert kinds["loss.gamma"] is gr.Slider and kinds["loss.kind"] is gr.Dropdown
    assert kinds["matching.force_best_match"] is gr.Checkbox and kinds["training.steps"] is gr.Number
    assert kinds["training.learning_rate"] is gr.Dropdown and kinds["anchors.ratios"] is gr.Dropdown
    assert set(kinds.values()) == {gr.Slider, gr.Dropdown, gr.Checkbox, gr.Number}


def changed(**values) -> str:
    return json.dumps({**json.loads(settings_of(Config())), **{key.replace("__", "."): v for key, v in values.items()}})


def test_what_people_type_is_read():
    config = config_of(changed(anchors__ratios=["0.5", 1, "2.5"], training__learning_rate="0.002", training__steps=7.0))
    assert config.anchors.ratios == (0.5, 1, 2.5) and config.training.learning_rate == 0.002
    assert config.training.steps == 7


@pytest.mark.parametrize(
    ("path", "value"),
    [("training.steps", None), ("anchors.ratios", []), ("training.learning_rate", "fast"), ("loss.gamma", 99)],
)
def test_bad_input_is_named(path, value):
    with pytest.raises(ConfigError, match=path.replace(".", r"\.")):
        config_of(changed(**{path: value}))


@pytest.mark.parametrize(
    "text", ["[]", "{", "1", "x" * 200_000, '{"loss": 1}', '{"loss.gamma.x": 1}', '{"nothing.at_all": 1}']
)
def test_what_only_a_stranger_sends_is_refused(text):
    with pytest.raises(ConfigError):
        config_of(text)


def test_the_script_quotes_its_path():
    assert on_change("loss.gamma") == '(value) => live.set("loss.gamma", value)'

"""One declaration, many forms: round trips are lossless, and invalid values are refused with one clear sentence."""

import json
import math
from typing import Literal

import pytest
from pydantic import create_model

from core.config import MAX_TEXT, Config, ConfigError, Effect, Loss, Section, knob, knobs, nest, read_knobs
from tests.effort import little_effort

CHANGED = {
    "model.depth": 50,
    "anchors.scales": (0.5, 2 ** (1 / 3)),
    "matching.force_best_match": False,
    "loss.gamma": 0.1 + 0.2,
    "training.learning_rate": 3.3e-05,
    "model.weights": "my weights & more=1.safetensors",
}


@pytest.fixture(params=[{}, CHANGED], ids=["defaults", "changed"])
def config(request) -> Config:
    return Config.from_flat(request.param)


def test_round_trips_are_lossless(config):
    assert Config.from_dict(config.to_dict()) == config
    assert Config.from_json(config.to_json()) == config
    assert Config.from_query(config.to_query()) == config
    assert Config.from_flat(config.to_flat()) == config
    assert hash(Config.from_json(config.to_json())) == hash(config)


def test_link_holds_only_what_differs():
    assert Config().to_query() == ""
    query = Config.from_flat({"loss.gamma": 1, "anchors.ratios": (0.5, 1), "loss.alpha": 0.25}).to_query()
    assert query == "anchors.ratios=0.5,1.0&loss.gamma=1.0"


def test_every_knob_is_complete():
    for path, item in knobs().items():
        assert item.label and item.help and item.effect in Effect, path
        assert item.help.endswith(".") and len(item.help) < 260, path
        if item.kind in ("int", "float", "list"):
            assert item.ge is not None and item.le is not None and item.ge < item.le, path
        if item.kind in ("int", "float"):
            assert item.ge <= item.default <= item.le, path


def test_sections_are_those_the_flags_promise():
    assert list(Config.model_fields) == ["model", "anchors", "matching", "loss", "inference", "training", "scenes"]


def test_a_new_knob_needs_only_its_declaration():
    """A declared field is known, validated and part of every form."""

    class ExtendedLoss(Loss):
        temperature: float = knob(1.0, label="T", help="Divides logits.", effect=Effect.LOSS, ge=0.1, le=9, step=0.1)

    class ExtendedConfig(Config):
        loss: ExtendedLoss = ExtendedLoss()

    assert read_knobs(ExtendedConfig)["loss.temperature"].allowed == "a number from 0.1 to 9"
    config = ExtendedConfig.from_dict({"loss": {"temperature": "2.5"}})
    assert config.loss.temperature == 2.5 and json.loads(config.to_json())["loss"]["temperature"] == 2.5


def test_kinds_come_from_the_annotation():
    section = create_model(
        "S", __base__=Section, size=(Literal[1, 2], knob(1, label="s", help="h.", effect=Effect.DATA))
    )
    config = create_model("C", __base__=Section, s=(section, section()))
    assert read_knobs(config)["s.size"].kind == "choice"
    assert section(size="2").size == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"loss.gamma": 9}, ["loss.gamma", "9", "0 to 8"]),
        ({"loss.gamma": "x"}, ["loss.gamma", "'x'", "0 to 8"]),
        ({"loss.gamma": math.nan}, ["loss.gamma", "nan"]),
        ({"loss.gamma": math.inf}, ["loss.gamma", "inf"]),
        ({"loss.gama": 1}, ["loss.gama", "Did you mean loss.gamma"]),
        ({"gamma": 1}, ["gamma", "section.field"]),
        ({"model.depth": 51}, ["model.depth", "51", "18, 34, 50, 101, 152"]),
        ({"model.fpn_channels": 65}, ["model.fpn_channels", "65", "multiple of 32"]),
        ({"model.num_convs": 2.5}, ["model.num_convs", "2.5", "0 to 6"]),
        ({"anchors.ratios": ""}, ["anchors.ratios", "at least 1"]),
        ({"anchors.ratios": "1,a"}, ["anchors.ratios", "'a'", "0.05 to 20"]),
        ({"anchors.ratios": "1,-1"}, ["anchors.ratios", "-1", "0.05 to 20"]),
        ({"anchors.scales": (1,) * 7}, ["anchors.scales", "at most 6"]),
        ({"matching.bg_iou_threshold": 0.6}, ["matching.bg_iou_threshold (0.6)", "matching.fg_iou_threshold (0.5)"]),
        ({"scenes.min_objects": 20}, ["scenes.min_objects (20)", "scenes.max_objects (10)"]),
        ({"loss.alpha": 2, "loss.gamma": -1}, ["loss.alpha = 2", "loss.gamma = -1"]),
    ],
)
def test_invalid_values_are_named_with_the_allowed_ones(values, words):
    with pytest.raises(ConfigError) as error:
        Config.from_flat(values)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"loss": 1}', '{"nothing": {}}', "1" * (MAX_TEXT + 1), "null"])
def test_invalid_json_is_refused_in_one_sentence(text):
    with pytest.raises(ConfigError) as error:
        Config.from_json(text)
    assert len(str(error.value)) < 300


def test_unreadable_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        Config.from_file(tmp_path / "nowhere.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.json"):
        Config.from_file(tmp_path / "binary.json")


def test_frozen_and_cache_keys_depend_on_effects_alone():
    config = Config()
    with pytest.raises(ValueError, match="frozen"):
        config.loss.gamma = 1
    moved = config.replace({"inference.nms_threshold": 0.4})
    assert moved.cache_key(Effect.ANCHORS) == config.cache_key(Effect.ANCHORS)
    assert moved.cache_key(Effect.FORWARD) == config.cache_key(Effect.FORWARD)
    assert moved.cache_key(Effect.SELECT) == config.cache_key(Effect.SELECT)
    assert moved.cache_key(Effect.SUPPRESS) != config.cache_key(Effect.SUPPRESS)


def test_explicit_values_include_defaults_that_were_set():
    config = Config.from_flat({"model.depth": 18}).replace({"loss.gamma": 1})
    assert config.explicit_values() == {"model.depth": 18, "loss.gamma": 1.0}
    assert config.non_default_values() == {"loss.gamma": 1.0}
    assert nest({"a.b": 1, "a.c": 2}) == {"a": {"b": 1, "c": 2}}


def test_a_file_without_end_is_not_read():
    with pytest.raises(ConfigError, match="longer than the 100,000 characters that are read: shorten them"):
        Config.from_file("/dev/zero")


def test_many_wrong_settings_are_counted_and_only_the_first_explained():
    values = {"loss": {f"unknown{number}": number for number in range(4000)}}
    message = r"^loss\.unknown0 is not a hyperparameter\. .* 3,995 more settings are not all"
    with little_effort(1), pytest.raises(ConfigError, match=message):
        Config.from_json(json.dumps(values))


@pytest.mark.parametrize("digits", [100, 4000, 5000])
def test_a_value_of_many_digits_is_not_written_out(digits):
    with pytest.raises(ConfigError) as error:
        Config.from_json(f'{{"loss": {{"gamma": {"9" * digits}}}}}')
    assert len(str(error.value)) <= 500

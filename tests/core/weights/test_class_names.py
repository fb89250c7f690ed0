"""Class names in weights files."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.weights.class_names import HOLDERS, NAME_KEYS, choose_class_names, find_class_names
from core.weights.sources import load_weights
from tests.core.networks import make_state
from tests.effort import little_effort

THREE = ("a", "b", "c")
CATEGORIES = [{"id": 0, "name": "a"}, {"id": 2, "name": "c"}, {"id": 1, "name": "b"}]


@pytest.fixture(scope="module")
def state():
    return make_state()


def choose(content, num_classes):
    return choose_class_names(find_class_names(content), num_classes, name="net.pth")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (
            {"hyper_parameters": {"label_dict": {"Bird": 1, "Tree": 0}, "num_classes": 2}},
            ("Tree", "Bird"),
        ),  # DeepForest
        ({"class_names": ["a", "b"]}, ("a", "b")),
        ({"meta": {"CLASSES": ("a",)}}, ("a",)),
        ({"meta": {"dataset_meta": {"classes": ("a",)}}}, ("a",)),
        ({"names": {1: "b", 0: "a"}}, ("a", "b")),
        ({"names": {"1": "b", "0": "a", "2": "c"}}, THREE),
        ({"config": {"id2label": {"0": "a", "1": "b"}}}, ("a", "b")),
        ({"label2id": {"b": "1", "a": "0"}}, ("a", "b")),
        ({"class_to_idx": {"c": 2, "b": 1, "a": 0}}, THREE),
        ({"class_to_idx": {"cat": 1, "dog": 2}}, ("class 0", "cat", "dog")),  # 0 is the background
        ({"names": {0: "a", 3: "d"}}, ("a", "class 1", "class 2", "d")),
        ({"checkpoint": {"model": {}, "categories": CATEGORIES}}, THREE),
        ({"names": ["1", "2"]}, ("1", "2")),
        ({"names": json.dumps(["a", "b"])}, ("a", "b")),
    ],
)
def test_names_are_those_of_the_numbers(content, names):
    found, sentence = choose(content, len(names))
    assert found == names
    assert sentence == f"The class names come from net.pth: {', '.join(names)}."


@pytest.mark.parametrize(
    "value",
    [
        {"a": 0, "b": 0},
        {"a": [], "b": {}},
        {0: 1, 1: 0},
        {("a",): [1]},
        {"a": True, "b": False},
        {"a": -1, "b": 0},
        {"a": 10**9, "b": "9" * 5000},
        ["a", ""],
        ["a", "\ud800"],
        ["a" * 101, "b"],
        ["a", 1],
        [{"id": 0}, {"id": 1}],
        "ab",
        "[" * 100_000,
        np.zeros(2),
        torch.zeros(2),
    ],
)
def test_names_that_cannot_be_read_are_said(value):
    assert choose({"names": value}, 2) == ((), "The class names in net.pth (names) cannot be read and are not used.")


@pytest.mark.parametrize("content", [[], {}, None, {"names": 7, "classes": None, "hyper_parameters": 7}, {"names": []}])
def test_without_names_nothing_is_said(content):
    assert choose(content, 2) == ((), "")


@pytest.mark.parametrize(
    ("content", "num_classes", "hint"),
    [
        ({"names": {"a": 1, "b": 2, "c": 3}}, 3, ""),  # not from 0: no known order
        ({"names": {0: "a", 1: "b", 2: "c"}}, 4, ""),
        ({"names": ["a", "b", "c"]}, 5, ""),
        (
            {"names": ["a", "b", "c"]},
            4,
            " If class 0 is the background, state all with --classes, the background first.",
        ),
    ],
)
def test_names_for_another_number_of_classes_are_said(content, num_classes, hint):
    assert choose(content, num_classes) == (
        (),
        f"The class names in net.pth (a, b, c) do not fit the network's number of classes, {num_classes}, and are "
        f"not used.{hint}",
    )


def test_names_that_disagree_are_not_used():
    content = {"names": ["a", "b"], "class_to_idx": {"a": 0, "b": 1}, "classes": 2}
    assert choose(content, 2)[0] == ("a", "b")
    content["meta"] = {"CLASSES": ("b", "a")}
    assert choose(content, 2) == (
        (), "net.pth names its classes in several ways (names, class_to_idx, CLASSES), which disagree: none is used."
    )  # fmt: skip


def test_names_that_fit_win_over_others():
    content = {"classes": ["background", "a", "b"], "names": ["a", "b"]}
    assert [choose(content, count)[0] for count in (2, 3)] == [("a", "b"), ("background", "a", "b")]


@pytest.mark.slow
def test_names_in_files(state, tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"model": state, "names": {"0": "a", "1": "b", "2": "c"}}, path)
    found = load_weights(str(path))
    assert (found.class_names, "classes" in found.assumed) == (THREE, False)
    torch.save({"model": state, "names": np.array(THREE)}, path)
    found = load_weights(str(path))
    assert (found.class_names, "classes" in found.assumed) == (("class 0", "class 1", "class 2"), True)
    assert found.notes == (f"The class names in {path} (names) cannot be read and are not used.",)
    save_file(state, tmp_path / "a.safetensors", {"format": "pt", "id2label": json.dumps(dict(enumerate(THREE)))})
    assert load_weights(str(tmp_path / "a.safetensors")).class_names == THREE


@pytest.mark.slow
def test_a_list_that_stands_under_many_keys_is_read_once():
    names = json.dumps(["a"] * 300_000)
    inner = dict.fromkeys(HOLDERS, dict.fromkeys(NAME_KEYS, names))
    with little_effort(1):
        found = find_class_names({key: {**inner, **dict.fromkeys(NAME_KEYS, names)} for key in HOLDERS})
    assert len(found) == 1 and not found[0].names  # too long


def test_ten_thousand_names_are_read():
    assert len(find_class_names({"names": [f"class {number}" for number in range(10_000)]})[0].names) == 10_000

"""What weights know of a picture, in words."""

from dataclasses import replace

import pytest
import torch

from core.config import Config, Scenes
from core.scenes.render import CLASS_NAMES
from core.structures import Sample
from core.weights.assumptions import COCO_CLASSES
from core.weights.weights import ON_COCO, ON_DATA_SET, ON_SCENES, Weights
from playground.data.picture import picture_of_sample, render_picture
from playground.pipeline.knowledge import Knowledge, judge, knowledge_of

SHAPES = Knowledge(CLASS_NAMES, ON_SCENES)
COCO = Knowledge.of(Weights("coco", {}, None, COCO_CLASSES, (), {}, trained_on=ON_COCO))
CELLS = ("RBC", "WBC", "Platelets")
OWN = Knowledge(CELLS, f"{ON_DATA_SET}blood")
FILE = Knowledge(("cat", "dog"))
SCENE = render_picture(Scenes())


def photograph(class_names=(), labels=()):
    boxes = torch.tensor([[0.0, 0, 5, 5]]).repeat(len(labels), 1)
    label = torch.tensor(labels, dtype=torch.int64)
    sample = Sample(torch.zeros(3, 9, 9, dtype=torch.uint8), boxes.view(-1, 4), label, label.bool(), 0)
    return picture_of_sample("photo.jpg", sample, class_names)


def say(picture, knowledge, *, from_data_set=False, from_album=False):
    return judge(picture, knowledge, from_data_set=from_data_set, from_album=from_album)


def test_what_weights_know_is_said_in_words():
    assert SHAPES.describe() == ("These weights know six rendered shapes: leaf, capsule, starfish, donut, gem, shell.")
    assert COCO.describe() == "These weights know 80 everyday classes of COCO photographs."
    assert OWN.describe() == "These weights know RBC, WBC, Platelets, from the data set blood."
    album = OWN._replace(trained_on=f"{ON_DATA_SET}training-1aa5fb0b8908")
    assert album.describe() == "These weights know RBC, WBC, Platelets, from a visitor's own pictures."
    named = OWN._replace(trained_on=f"{ON_DATA_SET}training-set")  # a folder that only begins alike
    assert named.describe().endswith("from the data set training-set.")
    assert FILE.describe() == "These weights know cat, dog; what pictures they were trained on is not recorded."
    assert Knowledge().describe() == "These weights have learnt no class yet: their heads answer by chance."


def test_a_photograph_is_not_met_silently_by_weights_of_shapes():
    said = say(photograph(), SHAPES)
    assert said.startswith(SHAPES.describe())
    assert said.endswith("They have never seen a photograph: what they find here means nothing.")
    # Drawn boxes do not make it a scene, in an album or without one.
    drawn = photograph(CLASS_NAMES, (0, 2))
    assert "never seen a photograph" in say(drawn, SHAPES) and "never seen" in say(drawn, SHAPES, from_album=True)


@pytest.mark.parametrize("from_album", [True, False])
def test_classes_that_weights_do_not_know_are_named(from_album):
    said = say(photograph(CELLS, (0, 2)), SHAPES, from_album=from_album)
    assert said.startswith("These weights do not know RBC, Platelets. They can only answer with leaf, capsule, ")
    assert "80 everyday classes of COCO" in say(photograph(CELLS, (0,)), COCO)


def test_a_data_set_is_judged_by_all_of_its_classes():
    assert say(photograph(CELLS), SHAPES, from_data_set=True).startswith(
        "These weights do not know RBC, WBC, Platelets."
    )
    assert say(photograph(CELLS), OWN, from_data_set=True) == ""
    assert say(photograph(("person", "dog")), COCO, from_data_set=True) == ""
    assert say(photograph(CLASS_NAMES), SHAPES, from_data_set=True) == ""  # scenes that were saved
    assert "never seen a photograph" in say(photograph(("leaf",)), SHAPES, from_data_set=True)


def test_scenes_need_no_word_under_weights_of_scenes_alone():
    assert say(SCENE, SHAPES) == say(SCENE, Knowledge()) == ""
    assert say(SCENE, COCO).startswith("These weights do not know ")
    assert say(SCENE, OWN).endswith("They can only answer with RBC, WBC, Platelets.")


def test_photographs_are_known_to_coco_and_said_under_others():
    assert say(photograph(), COCO) == ""
    assert say(photograph(), OWN).startswith(OWN.describe()) and "not recorded" in say(photograph(), FILE)
    assert say(photograph(CELLS), OWN, from_album=True) == ""
    assert say(photograph(), Knowledge()) == Knowledge().describe()


def test_a_file_of_the_six_shapes_was_trained_on_scenes():
    assert Knowledge.of(Weights("x.pth", {}, None, CLASS_NAMES, (), {})).trained_on == ON_SCENES
    assert Knowledge.of(Weights("x.pth", {}, None, CLASS_NAMES[:5], (), {})).trained_on == ""


def test_weights_are_asked_by_the_settings():
    assert knowledge_of(Config()) == SHAPES
    assert knowledge_of(Config.from_flat({"model.heads": "new"})) == Knowledge()
    assert knowledge_of(Config.from_flat({"model.weights": "random"})) == Knowledge()


def test_drawing_keeps_a_scene_a_scene():
    assert SCENE.is_scene and SCENE.with_objects(torch.zeros(0, 4), torch.zeros(0).long(), CLASS_NAMES).is_scene
    assert not photograph().is_scene and not replace(photograph(), name="scene 1").is_scene

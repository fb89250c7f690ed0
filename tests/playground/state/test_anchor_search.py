import pytest
import torch

from core.config import Config
from core.errors import UserError
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.state.anchor_search import FIT_TO, fit_anchors

SMALL = {"scenes.image_size": 96, "inference.image_size": 96, "scenes.min_size": 0.3, "scenes.max_objects": 4}


def pipeline(boxes: list | None = None) -> Pipeline:
    config = Config.from_flat(SMALL)
    picture = render_picture(config.scenes)
    if boxes is not None:
        labels = torch.zeros(len(boxes), dtype=torch.int64)
        picture = picture.with_objects(torch.tensor(boxes).reshape(-1, 4), labels, picture.class_names)
    return Pipeline(picture, config)


@pytest.mark.slow
def test_fitting_an_elongated_object_improves_its_match():
    here = pipeline([[4.0, 40.0, 92.0, 52.0]])
    config, said = fit_anchors(FIT_TO[0], here)
    iou = [Pipeline(here.picture, each).match.best_iou.item() for each in (here.config, config)]
    assert iou[0] < 0.5 <= iou[1]
    assert "0% → 100% of 1 object reach" in said and f"{iou[0]:.2f} → {iou[1]:.2f}" in said
    assert said.endswith("One object is too few to tell which anchors fit others: these may fit everything else worse. "
                         "Fit to 20 objects or more.")  # fmt: skip
    assert config.anchors.per_location == here.config.anchors.per_location  # the weights still fit


@pytest.mark.slow
def test_fitting_scenes():
    config, said = fit_anchors(FIT_TO[1], pipeline())
    assert config.anchors != Config().anchors and "100 generated scenes" in said


def test_a_picture_without_objects_and_unknown_targets_are_refused():
    with pytest.raises(UserError, match="no object"):
        fit_anchors(FIT_TO[0], pipeline([]))
    with pytest.raises(UserError, match="not to 'x'"):
        fit_anchors("x", pipeline())

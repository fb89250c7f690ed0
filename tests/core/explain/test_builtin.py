"""Explanations of the built-in detector: what a map names matters more than what chance names."""

import pytest

from benchmarks.explanations import ANYWHERE, CHANCE, choose, score
from core.config import Config
from core.explain.target import BOX, CLASS, Target
from core.retinanet.fuse import fuse_batch_norms
from core.weights.sources import adopt, build, load_weights


@pytest.fixture(scope="module")
def detection():
    """A detection in a held-out scene, and its box."""
    weights = load_weights("builtin")
    config = adopt(Config(), weights)
    return next(choose(fuse_batch_norms(build(config, weights)), config, 1))


@pytest.mark.slow
@pytest.mark.parametrize(("part", "chance"), [(CLASS, CHANCE), (BOX, ANYWHERE)])
def test_hiding_what_a_map_names_costs_more_than_chance(part, chance, detection):
    subject, box = detection
    target = Target(subject.target.anchor, subject.target.label, part)
    scored = {each.name: each for each in score(subject._replace(target=target), box, 16, 0)}
    for name in ("pixels", "features"):
        assert scored[name].deletion < scored[chance].deletion < 1.05

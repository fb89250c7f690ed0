import pytest
import torch
from torchvision.ops import box_iou

from core.retinanet.suppression.fusion import Fused, fuse_boxes
from tests.core.retinanet.test_boxes import random_boxes


def fuse(boxes: list, scores: list[float], threshold: float = 0.5, views: int = 1, groups: list | None = None) -> Fused:
    groups = groups or [0] * len(boxes)
    return fuse_boxes(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(scores, dtype=torch.float32),
        torch.tensor(groups, dtype=torch.int64),
        threshold=threshold,
        views=views,
    )


def test_by_hand():
    """IoU 0.8, so both are fused: the lower edge is (0.75 · 10 + 0.25 · 8) / 1 = 9.5, the score (0.75 + 0.25) / 2."""
    fused = fuse([[0, 0, 10, 8], [0, 0, 10, 10], [50, 50, 60, 60]], [0.25, 0.75, 0.5])
    assert fused.first.tolist() == [1, 1, 2]
    assert fused.box.tolist() == [[0, 0, 10, 9.5], [0, 0, 10, 9.5], [50, 50, 60, 60]]
    assert fused.score.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(("views", "factors"), [(1, (1, 1, 1)), (2, (1, 0.5, 1)), (4, (0.5, 0.25, 0.75))])
def test_few_boxes_of_many_views_count_less(views, factors):
    """Clusters of two, one and three boxes, with the mean score 0.5 each."""
    boxes = [[0, 0, 8, 8]] * 2 + [[20, 0, 28, 8]] + [[40, 0, 48, 8]] * 3
    scores = [0.75, 0.25, 0.5, 0.5, 0.5, 0.5]
    fused = fuse(boxes, scores, views=views)
    assert [fused.score[at].item() for at in (0, 2, 3)] == [0.5 * factor for factor in factors]


def test_boxes_are_compared_with_the_fused_box_and_not_with_the_first():
    """IoU of the third with the first 6/14, with the fused box (1 … 11) 7/13, at equal scores."""
    boxes = [[0, 0, 10, 10], [2, 0, 12, 10], [4, 0, 14, 10]]
    assert fuse(boxes, [0.5, 0.5, 0.5], threshold=0.5).first.tolist() == [0, 0, 0]
    assert fuse(boxes, [0.5, 0.5, 0.5], threshold=0.54).first.tolist() == [0, 0, 2]


def test_a_box_joins_the_cluster_that_it_overlaps_most_and_the_threshold_itself_is_not_enough():
    boxes = [[0, 0, 10, 10], [8, 0, 18, 10], [5, 0, 15, 10]]  # IoU with the first two: 1/3 and 7/13
    assert fuse(boxes, [0.9, 0.8, 0.7], threshold=0.3).first.tolist() == [0, 1, 1]
    halves = [[0, 0, 10, 10], [0, 0, 10, 5]]
    assert fuse(halves, [0.9, 0.8], threshold=0.5).first.tolist() == [0, 1]
    assert fuse(halves, [0.9, 0.8], threshold=0.49).first.tolist() == [0, 0]


def test_groups_are_fused_apart():
    assert fuse([[0, 0, 8, 8]] * 3, [0.5, 0.9, 0.7], groups=[2, 5, 2]).first.tolist() == [2, 1, 2]


def test_boxes_alone_stay_as_they_are_to_the_bit():
    boxes, scores = random_boxes(200, 3), torch.rand(200, generator=torch.Generator().manual_seed(2))
    fused = fuse_boxes(boxes, scores, torch.arange(200), threshold=0.5, views=1)
    assert torch.equal(fused.box, boxes) and torch.equal(fused.score, scores)
    assert fused.first.tolist() == list(range(200))


def fuse_slowly(boxes: list, scores: list, groups: list, threshold: float, views: int) -> tuple[list, list, list]:
    """Fuses as the paper describes it: a list L of clusters and a list F of fused boxes, for each group.

    Returns:
        The first box, the fused box and the fused score of the cluster of each box.
    """
    clusters: list[list[int]] = []
    fused: list[list[float]] = []
    for index in sorted(range(len(boxes)), key=lambda each: -scores[each]):
        found, best = None, threshold
        for number, members in enumerate(clusters):
            if groups[members[0]] == groups[index]:
                pair = torch.tensor([fused[number], boxes[index]], dtype=torch.float64)
                iou = box_iou(pair[:1], pair[1:]).item()
                if iou > best:
                    found, best = number, iou
        if found is None:
            clusters.append([index])
            fused.append(boxes[index])
            continue
        members = clusters[found]
        members.append(index)
        weight = sum(scores[each] for each in members)
        fused[found] = [sum(scores[each] * boxes[each][side] for each in members) / weight for side in range(4)]
    place = {index: number for number, members in enumerate(clusters) for index in members}
    means = [sum(scores[each] for each in cluster) / len(cluster) for cluster in clusters]
    final = [mean * min(len(cluster), views) / views for mean, cluster in zip(means, clusters, strict=True)]
    order = range(len(boxes))
    return (
        [clusters[place[index]][0] for index in order],
        [fused[place[index]] for index in order],
        [final[place[index]] for index in order],
    )


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.55, 1.0])
@pytest.mark.parametrize("views", [1, 3])
def test_same_as_the_algorithm_of_the_paper(threshold, views):
    boxes = random_boxes(90, 5, 60)
    scores, groups = torch.rand(90, generator=torch.Generator().manual_seed(4)), torch.arange(90) % 2 * 3
    first, box, score = fuse_slowly(boxes.tolist(), scores.tolist(), groups.tolist(), threshold, views)
    fused = fuse_boxes(boxes, scores, groups, threshold=threshold, views=views)
    assert fused.first.tolist() == first
    assert torch.allclose(fused.box, torch.tensor(box)) and torch.allclose(fused.score, torch.tensor(score))
    assert (len(set(first)) < 90) == (threshold < 1)


def test_a_fused_box_lies_within_its_cluster():
    boxes, scores = random_boxes(300, 6, 90), torch.rand(300, generator=torch.Generator().manual_seed(4))
    fused = fuse_boxes(boxes, scores, torch.zeros(300, dtype=torch.int64), threshold=0.4, views=1)
    for first in fused.first.unique():
        members = fused.first == first
        assert fused.box[members].unique(dim=0).shape == (1, 4) and fused.score[members].unique().shape == (1,)
        assert (boxes[members].amin(dim=0) - 1e-4 <= fused.box[first]).all()
        assert (boxes[members].amax(dim=0) + 1e-4 >= fused.box[first]).all()
        assert scores[first] == scores[members].max()


def test_boxes_that_are_not_finite_or_have_no_area_are_alone_and_there_may_be_none():
    boxes = [[0, 0, 9, 9], [torch.nan, 0, 9, 9], [0, 0, torch.inf, 9], [3, 3, 3, 3], [3, 3, 3, 3], [0, 0, 9, 9]]
    assert fuse(boxes, [0.5, 0.9, 0.8, 0.7, 0.7, 0.3]).first.tolist() == [0, 1, 2, 3, 4, 0]
    assert [len(each) for each in fuse([], [])] == [0, 0, 0]

import numpy as np
import pytest
import torch

from core.config import Scenes
from core.scenes.clutter import DISTRACTORS
from core.scenes.colours import SKIN_NUMBERS, draw_setting, draw_skin, oklch
from core.scenes.outline import TRAITS, SceneObject
from core.scenes.paint import compute_relief, paint_body
from core.scenes.render import CLASS_NAMES, MIN_LENGTH, MIN_VISIBLE, MIN_WIDTH, lay_out, rasterise, render_scene
from core.scenes.shapes import CLASSES, plain, trace
from core.scenes.surfaces import paint_surface

LABELS = range(len(CLASS_NAMES))
CROWDED = {"overlap": 0.8, "min_objects": 12, "max_objects": 12, "min_size": 0.15}
VARIED = [{}, CROWDED, {"elongation": 8, "min_size": 0.02}, {"image_size": 64}, {"min_size": 0.5, "max_size": 1}]


def settings(**values):
    return Scenes(**{"image_size": 128, **values})


def layouts(count=20, **values):
    scenes = settings(**values)
    return [lay_out(scenes, index) for index in range(count)]


def make_object(label, *, length=80.0, ratio=2.0, angle=0.6):
    return SceneObject(label, length, ratio, angle, (0.3, 0.8), np.full(TRAITS, 0.5, dtype=np.float32))


def box_of(pixels):
    rows, columns = np.nonzero(pixels)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_an_image_is_a_pure_function_of_settings_and_index():
    first, again = render_scene(settings(), 5), render_scene(settings(), 5)
    assert all(torch.equal(a, b) for a, b in zip(first[:4], again[:4], strict=True))
    assert not torch.equal(first.image, render_scene(settings(), 6).image)
    assert not torch.equal(first.image, render_scene(settings(seed=1), 5).image)


def test_a_sample_has_its_declared_types_and_shapes():
    sample = render_scene(settings(), 3)
    count = len(sample.boxes)
    assert sample.image.shape == (3, 128, 128) and sample.image.dtype == torch.uint8
    assert sample.boxes.shape == (count, 4) and sample.boxes.dtype == torch.float32
    assert sample.labels.shape == (count,) and sample.labels.dtype == torch.int64
    assert sample.crowd.shape == (count,) and sample.crowd.dtype == torch.bool and not sample.crowd.any()
    assert sample.image_id == 3


@pytest.mark.parametrize("values", VARIED)
def test_boxes_are_tight_around_visible_pixels(values):
    scenes = settings(**values)
    for index in range(5):
        layout = lay_out(scenes, index)
        hidden = np.zeros((scenes.image_size, scenes.image_size), dtype=bool)
        boxes, labels = [], []
        for placed in reversed(layout):
            alone = rasterise(placed, scenes.image_size)
            visible = alone & ~hidden
            hidden |= alone
            assert placed.box == box_of(visible)
            assert placed.visible == visible.sum() / alone.sum()
            if visible.sum() / alone.sum() >= MIN_VISIBLE:
                boxes.insert(0, box_of(visible))
                labels.insert(0, placed.item.label)
        sample = render_scene(scenes, index)
        assert sample.boxes.tolist() == [[float(edge) for edge in box] for box in boxes]
        assert sample.labels.tolist() == labels


@pytest.mark.parametrize("values", VARIED)
def test_the_mask_of_an_object_covers_its_painted_pixels(values):
    scenes = settings(**values)
    size, setting = scenes.image_size, draw_setting(np.random.default_rng(0))
    for placed in lay_out(scenes, 1):
        skin = draw_skin(np.full(SKIN_NUMBERS, 0.5), setting, CLASSES[placed.item.label].texture, placed.item.traits)
        on_black, on_white = np.zeros((3, size, size), dtype=np.float32), np.ones((3, size, size), dtype=np.float32)
        for canvas in (on_black, on_white):
            paint_body(canvas, placed.outline, compute_relief(placed.outline), placed.at, setting.light, skin)
        alpha = (1 - (on_white - on_black)).mean(axis=0)
        sure = np.abs(alpha - 0.5) > 1e-4
        assert ((alpha > 0.5) == rasterise(placed, size))[sure].all()


@pytest.mark.slow
def test_an_object_that_is_nearly_covered_is_left_out():
    scenes = settings(**{**CROWDED, "image_size": 64, "min_objects": 40, "max_objects": 40})
    left_out = [sum(placed.visible < MIN_VISIBLE for placed in lay_out(scenes, index)) for index in range(10)]
    assert max(left_out) > 0
    for index, missing in enumerate(left_out):
        assert len(render_scene(scenes, index).boxes) == len(lay_out(scenes, index)) - missing


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("ratio", [1, 2, 6])
def test_objects_have_the_requested_length_and_width(label, ratio):
    drawn = make_object(label, length=200.0, ratio=ratio, angle=0.6)
    rows, columns = np.nonzero(trace(drawn).mask)
    along = columns * np.cos(0.6) + rows * np.sin(0.6)
    across = rows * np.cos(0.6) - columns * np.sin(0.6)
    # A five-armed star fills its circle only to (1 + cos 36°) / 2 = 0.905 and sin 72° = 0.951.
    assert 0.88 * 200 <= np.ptp(along) <= 200
    assert 0.88 * 200 / ratio <= np.ptp(across) + 1 and np.ptp(across) <= 200 / ratio


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 7).tolist())
def test_the_patch_contains_the_whole_outline(label, angle):
    depth = trace(make_object(label, ratio=3.0, angle=angle)).depth
    assert depth.min() < -0.5
    assert min(depth[0].min(), depth[-1].min(), depth[:, 0].min(), depth[:, -1].min()) > 0


@pytest.mark.parametrize("label", LABELS)
def test_outlines_and_textures_stay_in_single_precision(label):
    outline = trace(make_object(label))
    mix, brightness = CLASSES[label].texture(outline, np.full(TRAITS, 0.5, dtype=np.float32))
    assert outline.depth.dtype == mix.dtype == brightness.dtype == np.float32
    assert mix.shape == brightness.shape == outline.depth.shape
    assert mix[outline.mask].min() >= 0 and mix[outline.mask].max() <= 1
    assert brightness[outline.mask].min() > 0


@pytest.mark.parametrize("label", LABELS)
def test_every_class_has_a_texture_inside(label):
    outline = trace(make_object(label))
    mix, brightness = CLASSES[label].texture(outline, np.full(TRAITS, 0.5, dtype=np.float32))
    assert mix[outline.mask].std() + brightness[outline.mask].std() > 0.1


def test_the_size_range_is_kept():
    for layout in layouts(min_size=0.1, max_size=0.3):
        for placed in layout:
            assert 12.8 <= placed.item.length <= 38.4
            assert max(np.ptp(edges) for edges in (placed.box[::2], placed.box[1::2])) <= 39
    lengths = [placed.item.length for layout in layouts(min_size=0.1, max_size=0.3) for placed in layout]
    assert min(lengths) < 14 and max(lengths) > 34


def test_an_object_may_fill_the_image():
    filling = settings(min_objects=1, max_objects=1, min_size=1, max_size=1, elongation=1)
    sides = [np.subtract(*lay_out(filling, index)[0].box[2::-2]) for index in range(10)]
    assert max(sides) == 128


def test_elongation_bounds_length_over_width():
    ratios = [placed.item.ratio for layout in layouts(elongation=6, min_size=0.2) for placed in layout]
    assert 1 <= min(ratios) < 1.3 and 5 < max(ratios) <= 6
    assert {placed.item.ratio for layout in layouts(5, elongation=1) for placed in layout} == {1.0}


def test_tiny_objects_stay_thick_enough_to_be_seen():
    for layout in layouts(5, image_size=64, min_size=0.02, max_size=0.06, elongation=8):
        for placed in layout:
            assert placed.item.length >= MIN_LENGTH
            assert placed.item.length / placed.item.ratio >= MIN_WIDTH * (1 - 1e-6)


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.8])
def test_no_object_is_covered_more_than_the_overlap(overlap):
    crowd = {**CROWDED, "overlap": overlap}
    shares = [placed.visible for layout in layouts(8, **crowd) for placed in layout]
    assert min(shares) >= 1 - overlap - 1e-9
    assert (min(shares) < 1) == (overlap > 0)


def test_more_overlap_covers_more():
    def covered(overlap):
        return np.mean([1 - p.visible for layout in layouts(**{**CROWDED, "overlap": overlap}) for p in layout])

    assert covered(0) < covered(0.3) < covered(0.8)


def test_counts_keep_their_range():
    counts = [len(layout) for layout in layouts(40, min_objects=0, max_objects=3, max_size=0.2)]
    assert set(counts) == {0, 1, 2, 3}


def test_a_crowd_of_small_objects_finds_room():
    assert all(len(layout) >= 36 for layout in layouts(5, min_objects=40, max_objects=40, max_size=0.12))


def test_empty_share():
    assert not any(layouts(10, empty_share=1))
    assert 20 <= sum(not layout for layout in layouts(80, empty_share=0.5, max_objects=3)) <= 60
    sample = render_scene(settings(empty_share=1), 0)
    assert sample.boxes.shape == (0, 4) and sample.labels.shape == sample.crowd.shape == (0,)


def test_imbalance_makes_the_last_classes_rare():
    def counts(imbalance):
        labels = [p.item.label for layout in layouts(60, imbalance=imbalance, max_size=0.2) for p in layout]
        return np.bincount(labels, minlength=len(CLASS_NAMES))

    even, skewed = counts(0), counts(1)
    assert even.min() > 0.5 * even.mean()
    assert skewed[0] > 0.4 * skewed.sum() and skewed[-1] < 0.05 * skewed.sum()


@pytest.mark.parametrize("values", [{"clutter": 1}, {"clutter": 0}, {"noise": 1}, {"noise": 0}])
def test_clutter_and_noise_change_pixels_but_no_box(values):
    usual, other = render_scene(settings(), 2), render_scene(settings(**values), 2)
    assert not torch.equal(usual.image, other.image)
    assert torch.equal(usual.boxes, other.boxes) and torch.equal(usual.labels, other.labels)


def test_noise_grows_with_its_setting():
    clean, faint, strong = (render_scene(settings(noise=noise), 2).image.float() for noise in (0, 0.2, 0.8))
    assert 0 < (faint - clean).std() < (strong - clean).std() / 2


@pytest.mark.parametrize("distractor", DISTRACTORS)
def test_every_distractor_is_visible(distractor):
    rng = np.random.default_rng(0)
    setting = draw_setting(rng)
    canvas = paint_surface(setting, 128, rng)
    before = canvas.copy()
    for _ in range(5):  # one alone may lie at the border
        distractor(canvas, setting, rng)
    assert (np.abs(canvas - before).max(axis=0) > 0.05).sum() > 20


def test_colours_do_not_depend_on_the_class():
    setting = draw_setting(np.random.default_rng(0))
    numbers, traits = np.random.default_rng(1).random(SKIN_NUMBERS), np.zeros(TRAITS, dtype=np.float32)
    skins = [
        draw_skin(numbers, setting, kind.texture, traits) for kind in (*CLASSES, CLASSES[0]._replace(texture=plain))
    ]
    assert len({(*skin.base, *skin.accent) for skin in skins}) == 1


def test_oklch_against_known_colours():
    np.testing.assert_allclose(oklch(1, 0, 0), [1, 1, 1], atol=1e-3)
    np.testing.assert_allclose(oklch(0.62796, 0.25768, 29.234), [1, 0, 0], atol=1e-3)
    np.testing.assert_allclose(oklch(0.45201, 0.31321, 264.052), [0, 0, 1], atol=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        {"min_size": 0.02, "max_size": 0.02, "elongation": 8, "image_size": 64},
        {"min_size": 1, "max_size": 1, "elongation": 8},
        {"min_objects": 100, "max_objects": 100, "overlap": 0.8},
        {"overlap": 0, "clutter": 1, "noise": 1, "imbalance": 1},
        {"min_objects": 0, "max_objects": 1, "clutter": 0, "noise": 0},
        {"image_size": 1024},
        {"seed": 2**31 - 1},
    ],
)
def test_extreme_settings(values):
    scenes = settings(**values)
    for index in (0, 1):
        sample = render_scene(scenes, index)
        x1, y1, x2, y2 = sample.boxes.unbind(1)
        assert (x2 > x1).all() and (y2 > y1).all()
        assert (sample.boxes >= 0).all() and (sample.boxes <= scenes.image_size).all()
        assert set(sample.labels.tolist()) <= set(LABELS)
        assert sample.image.float().std() > 1

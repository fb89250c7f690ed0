"""The command `differ`: the same weights under the conventions of other frameworks."""

from argparse import Namespace
from typing import Any

import torch

from core.cli.common import load_detector
from core.cli.differ.drawing import draw_differences
from core.config import Config, ConfigError
from core.conventions.comparison import Comparison, compare
from core.conventions.convention import FRAMEWORKS
from core.conventions.view import make_subject
from core.conventions.words import COLUMNS, SAME, describe_difference, describe_outcome, name_within, summarise
from core.data.images import open_image
from core.data.sources import open_data
from core.errors import PictureError
from core.evaluation.class_names import match_detector
from core.io.atomic import require_writable, write_atomically
from core.structures import Sample
from core.weights.sources import Weights

DRAWN = ".png"


def differ(config: Config, options: Namespace) -> dict[str, Any]:
    """Compares the anchors, assignment, losses and detections here with those of a framework, for the same weights.

    Without a picture, it is the first test scene, whose objects are known, so that assignment and losses are compared
    as well. The picture is seen whole and as it is.

    Returns:
        What each convention changes by itself, and all together, in words.

    Raises:
        PictureError: The picture cannot be used.
        ConfigError: The assigner is not max IoU, or the drawing is to be the picture or in another format.
        DataError: Without a picture, the weights do not know the classes of scenes.
        OutputError: The drawing cannot be written.
    """
    _require_drawable(options)
    config, weights, model = load_detector(config, options.classes)
    sample = _open_sample(config, weights, options)
    try:
        subject = make_subject(model.cpu(), sample, config)
    except PictureError as error:  # of the shape, so that it does not name the picture
        raise PictureError(f"{options.picture or 'The scene'}: {error}") from None
    comparison = compare(subject, config, options.framework)
    result = _describe(comparison, has_objects=options.picture is None)
    _report(comparison, result)
    if options.out:
        with write_atomically(options.out) as temporary:
            draw_differences(sample.image, comparison, subject.prediction.batch.factors[0]).save(temporary, "png")
        print(f"Lost (red), new (pink), changed as here (blue) and there (orange), the same (grey): {options.out}")
    return result


def _require_drawable(options: Namespace) -> None:
    """Raises unless the drawing can be written: it is no picture that is read, and in the format of its name."""
    out = options.out
    if out is None:
        return
    require_writable(out)
    if out.suffix.lower() != DRAWN:
        raise ConfigError(f"--out {out} must end in {DRAWN}: this is the format of the drawing.")
    if options.picture is not None and out.resolve() == options.picture.resolve():
        raise ConfigError(f"--out {out} would replace the picture: name another file.")


def _open_sample(config: Config, weights: Weights, options: Namespace) -> Sample:
    """Returns the picture, without objects, or a scene with those that it has, numbered as the network does."""
    if options.picture is not None:
        none = torch.zeros(0, dtype=torch.int64)
        return Sample(open_image(options.picture), torch.zeros(0, 4), none, none.bool(), 0)
    data = open_data("scenes", "test", config.scenes, 1)
    sample = data[0]
    known = match_detector(config.model.weights, weights.class_names, data.class_names)
    return sample._replace(labels=known[sample.labels])


def _describe(comparison: Comparison, *, has_objects: bool) -> dict[str, Any]:
    """Returns the comparison as plain values; without objects nothing is said of assignment and losses."""
    shown = [column for column in COLUMNS if has_objects or column not in COLUMNS[1:3]]

    def pick(cells: tuple[str, ...]) -> dict[str, str]:
        return {column: cell for column, cell in zip(COLUMNS, cells, strict=True) if column in shown and cell}

    return {
        "framework": FRAMEWORKS[comparison.framework],
        "conventions": [
            {
                "convention": each.convention.title,
                "there": each.practice.text,
                "source": each.practice.source,
                **pick(describe_outcome(each)),
            }
            for each in comparison.outcomes
        ],
        "together": pick(describe_difference(comparison.difference)),
        "summary": summarise(comparison),
    }


def _report(comparison: Comparison, result: dict[str, Any]) -> None:
    """Prints the differences by convention, then one line with the conventions that agree."""
    same = []
    for outcome, row in zip(comparison.outcomes, result["conventions"], strict=True):
        cells = {key: row[key] for key in COLUMNS if key in row}
        if set(cells.values()) <= {SAME, "as here"}:
            same.append(name_within(outcome))
            continue
        print(f"{row['convention']}: {row['there']} ({row['source']})")
        if outcome.told:
            print(f"  {cells['detections']}")
            continue
        print("".join(f"  {key}: {value}\n" for key, value in cells.items() if value != SAME), end="")
    if same:
        print(f"Without effect here: {', '.join(same)}.")
    print(f"All together: {', '.join(f'{key} {value}' for key, value in result['together'].items())}")
    print(result["summary"])

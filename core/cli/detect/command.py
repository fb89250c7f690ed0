"""The command `detect`: finds objects in pictures, draws them, and writes one file in COCO's format."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from core.cli.common import is_main_process, load_detector, progress_bar
from core.cli.detect.drawing import draw_detections, prepare_drawings
from core.cli.detect.pictures import Pictures, find_pictures
from core.cli.detect.state import (
    describe_file,
    describe_state,
    end_early,
    find_done,
    open_journal,
    read_all,
)
from core.config import Config, ConfigError
from core.data.images import open_image, to_pil
from core.errors import IncompleteError, PictureError, UserError
from core.evaluation.coco_file import to_results, write_coco_file
from core.io.journal import Journal
from core.io.text import count_noun
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect as run_detector
from core.weights.sources import Weights


class _Job(NamedTuple):
    """A call of the command.

    Attributes:
        pictures: The pictures.
        config: All settings.
        weights: The weights.
        model: The network.
        drawings: The path of each picture's drawing, empty if none are wanted.
        journal: The pictures that are done, None if no file is wanted.
        strict: Whether the first picture that cannot be used is an error.
    """

    pictures: Pictures
    config: Config
    weights: Weights
    model: RetinaNet
    drawings: list[Path]
    journal: Journal | None
    strict: bool


def detect(config: Config, options: Namespace) -> None:
    """Detects objects in pictures, which are numbered from 1 in order, and writes them to the file of --json.

    Pictures that cannot be used are left out, but keep their numbers. While the command runs, the pictures that are
    done are kept in a file beside that of --json, so that an interrupted call can be continued (`--resume`).

    Raises:
        PictureError: No picture can be used, or one cannot and `--strict` is given.
        IncompleteError: Some pictures cannot be used; the detections in the others have been written.
        ConfigError: `--resume` is given without a file, or with other settings or weights than before.
    """
    if options.resume and not options.json:
        raise ConfigError("--resume needs --json FILE, the file of the interrupted call.")
    pictures = find_pictures(options.pictures, without=options.annotate)
    config, weights, model = load_detector(config, options.classes)
    drawings = prepare_drawings(pictures, options.annotate) if options.annotate else []
    with ExitStack() as stack:
        journal = None
        if options.json and is_main_process():
            state = describe_state(config, weights, model)
            journal = stack.enter_context(open_journal(options.json, state, resume=options.resume))
        strict = options.strict or len(pictures.paths) == 1
        job = _Job(pictures, config, weights, fuse_batch_norms(model), drawings, journal, strict)
        try:
            count, problems = _detect_all(job)
        except (UserError, KeyboardInterrupt) as error:
            if journal is not None:
                end_early(journal, keep=options.resume or not isinstance(error, UserError), total=len(pictures.paths))
            raise
        used = len(pictures.paths) - len(problems)
        if journal is not None and used:
            categories = list(zip(weights.category_ids, weights.class_names, strict=True))
            write_coco_file(options.json, lambda: read_all(pictures, journal, problems), categories)
        if journal is not None and not (options.resume and problems):
            journal.delete()
    _report(pictures, count, problems)


def _report(pictures: Pictures, count: int, problems: dict[int, str]) -> None:
    """Prints the number of detections in each picture, and the pictures that cannot be used.

    Raises:
        UserError: Some cannot.
    """
    used = len(pictures.paths) - len(problems)
    summary = f"{count_noun(count, 'detection')} in {count_noun(used, 'picture')}"
    print("; ".join(filter(None, (summary, pictures.describe_left_out()))))
    for problem in problems.values():
        print(f"Left out: {problem}")
    if problems:
        total = count_noun(len(pictures.paths), "picture")
        message = f"{len(problems):,} of {total} cannot be used. The first: {next(iter(problems.values()))}"
        raise IncompleteError(message, None) if used else PictureError(message)


def _detect_all(job: _Job) -> tuple[int, dict[int, str]]:
    """Detects in all pictures that are not done; returns the number of detections and the problems by number."""
    count = 0
    problems: dict[int, str] = {}
    for number, path in _show_progress(job.pictures):
        try:
            count += _detect_in(job, number, path)
        except PictureError as error:
            if job.strict:
                raise
            problems[number] = str(error)
    return count, problems


def _detect_in(job: _Job, number: int, path: str) -> int:
    """Detects in a picture unless that is done; returns the number of detections."""
    drawing = job.drawings[number - 1] if job.drawings else None
    if job.journal is not None and (done := find_done(job.journal, path)) and (drawing is None or drawing.exists()):
        return len(done["results"])
    before = describe_file(path)
    picture = open_image(path)
    try:
        found = run_detector(job.model, [picture], job.config)[0]
    except PictureError as error:  # of the shape, so that it does not name the picture
        raise PictureError(f"{path}: {error}") from None
    if drawing:
        draw_detections(to_pil(picture), found, job.weights.class_names).save(drawing)
    results = to_results(found, job.weights.category_ids)
    if job.journal is not None:
        height, width = picture.shape[1:]
        job.journal.add(path, {**before, "width": width, "height": height, "results": results})
    return len(results)


def _show_progress(pictures: Pictures) -> Iterator[tuple[int, str]]:
    """Yields the number and the path of each picture, with a progress bar."""
    with progress_bar(total=len(pictures.paths), show=True, unit="picture") as bar:
        for number, path in enumerate(pictures.paths, start=1):
            yield number, path
            bar.update()

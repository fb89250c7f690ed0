from core.config import Config
from core.data.left_out import MISSING, UNREADABLE, LeftOut
from core.runs.about import About
from core.runs.folder import QUEUED, RunStatus
from playground.runs.progress import RunProgress
from playground.runs.summary import MAX_EXAMPLES, build_status

PROGRESS = RunProgress(RunStatus(QUEUED, queue_position=1), None, ())


def status(about: About) -> str:
    return str(build_status(PROGRESS, "run", "", Config(), about))


def test_a_run_says_how_its_data_was_read_and_what_was_left_out():
    broken = tuple(f"The picture /srv/sets/mine/{number}<b>.png cannot be decoded." for number in range(20))
    left_out = LeftOut({UNREADABLE: 20, MISSING: 2}, {UNREADABLE: broken, MISSING: ("a.png", "b.png")})
    text = status(About("/srv/sets/mine", reading="YOLO, labels in /srv/sets/mine/labels.", left_out=left_out))
    assert "<summary>Data, 22 left out</summary>" in text and "YOLO, labels in labels." in text
    assert "Left out: 20 pictures that cannot be opened." in text and "Left out: 2 pictures that do not exist." in text
    assert text.count("cannot be decoded") == MAX_EXAMPLES
    assert "The picture 0&lt;b&gt;.png cannot be decoded." in text and "/srv" not in text


def test_the_source_of_the_command_line_may_be_the_folder_it_was_called_in():
    assert "COCO, boxes in train.json." in status(About(".", reading="COCO, boxes in train.json."))


def test_a_run_on_scenes_or_of_an_older_version_says_nothing_of_it():
    assert "<details" not in status(About()) and "Data" not in status(About("/srv/sets/mine"))
    assert "<summary>Data</summary>" in status(About("/srv/sets/mine", reading="COCO, train.json."))

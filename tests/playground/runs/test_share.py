import pytest

from core.runs.about import About
from core.runs.folder import FINISHED, QUEUED, RunError, RunFolder, RunStatus
from playground.runs.share import require_places, require_share, require_short
from playground.sharing.shares import SHARE, Share, find_share
from playground.support.sizes import measure_folder
from playground.support.visitors import VISITORS, Sender

ME, THEY = "me", "they"


@pytest.fixture
def make(tmp_path):
    """Makes runs of an owner that are in a state."""

    def make_runs(owner: str, *states: str) -> list[tuple[RunFolder, RunStatus]]:
        found = []
        for state in states:
            folder = RunFolder(tmp_path / f"{owner}-{len(list(tmp_path.iterdir()))}")
            folder.path.mkdir()
            folder.write_about(About(owner=owner))
            found.append((folder, RunStatus(state)))
        return found

    return make_runs


def test_a_visitor_can_keep_a_number_of_runs(make):
    runs, share = make(ME, FINISHED, FINISHED) + make(THEY, *[FINISHED] * 5), Share(runs=3)
    require_share(share, ME, 1, runs)
    with pytest.raises(RunError, match="can keep 3 runs on this server, and you have 2: delete some"):
        require_share(share, ME, 2, runs)


def test_a_visitor_has_a_number_of_places_in_the_queue(make):
    runs, share = make(ME, QUEUED, FINISHED) + make(THEY, *[QUEUED] * 5), Share(places=2)
    require_share(share, ME, 1, runs)
    with pytest.raises(RunError, match="2 runs in the queue, and 1 of yours wait"):
        require_share(share, ME, 2, runs)
    with pytest.raises(RunError, match="stop some"):
        require_places(share, ME, 1, [ME, THEY, ME])


def test_a_run_of_a_visitor_takes_so_much_of_the_time():
    require_short(Share(run_gflops=1000), 1000)
    said = r"would take about 1,235 GFLOP, and one of a visitor's may take 1,000 on this server: lower “Steps”"
    with pytest.raises(RunError, match=said):
        require_short(Share(run_gflops=1000), 1234.5678)


def test_those_at_an_address_do_not_have_all_places_however_many_cookies_they_invent():
    for who, address in (("a", "10.0.0.1"), ("b", "10.0.0.1"), (ME, "10.0.0.2"), (THEY, "10.0.0.1")):
        VISITORS.note(Sender(who, address))
    share, waiting = Share(places=5, places_near=6), ["a", "a", "a", "b", "b", "stranger"]
    require_places(share, THEY, 1, waiting)
    require_places(share, ME, 5, waiting)
    with pytest.raises(RunError, match=r"^Many runs of visitors at your address are waiting already: wait until some"):
        require_places(share, THEY, 2, waiting)
    VISITORS.note(Sender(THEY, "10.0.0.3"))  # who has moved
    require_places(share, THEY, 2, waiting)
    assert not VISITORS.are_near("one stranger", "another") and VISITORS.are_near("one stranger", "one stranger")


def test_the_runs_of_a_visitor_take_so_much_of_the_disk(make):
    runs, share = make(ME, FINISHED) + make(THEY, FINISHED), Share(run_bytes=1000)
    (runs[1][0].path / "checkpoint").write_bytes(b"x" * 5000)
    require_share(share, ME, 1, runs)
    (runs[0][0].path / "checkpoint").write_bytes(b"x" * 1001)
    with pytest.raises(RunError, match="GB on this server, as much as they may: delete some"):
        require_share(share, ME, 1, runs)


def test_a_folder_is_measured_with_what_is_below_it(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * 10)
    (tmp_path / "file").write_bytes(b"x" * 5)
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert 15 <= measure_folder(tmp_path) < 15 + 2 * len(str(tmp_path)) + 100


def test_visitors_who_are_alike_have_the_whole(monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", False)
    assert find_share() is None
    monkeypatch.setattr(VISITORS, "apart", True)
    assert find_share() == SHARE


def test_every_comparison_fits_into_the_queue():
    from core.experiments.presets import PRESETS

    assert max(len(preset.variants) for preset in PRESETS.values()) <= SHARE.places

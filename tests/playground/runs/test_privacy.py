"""Runs on private pictures: nothing of them reaches another visitor."""

import json

import pytest

from core.config import Config, ConfigError
from core.reader import UPLOADED
from core.runs.folder import RUNNING, RunError
from playground.albums.service import ALBUMS
from playground.events.run_start import require_own_run
from playground.events.training import list_runs
from playground.runs.privacy import find_lineage, find_runs, may_see_file
from playground.runs.service import RUNS
from playground.runs.table_api import handle_request
from playground.state.page_state import PageState, admit, require_known_weights
from playground.support.trash import Trash
from playground.support.visitors import VISITORS, NotYoursError
from tests.playground.made_albums import albums_at, fill_album, training_folder
from tests.playground.made_runs import evaluation, make_run, runs_at, step

ANN, BOB = "a" * 32, "b" * 32
PRIVATE, PUBLIC, DERIVED = "20260101-000000-001", "20260101-000000-002", "20260101-000000-003"


@pytest.fixture
def source(tmp_path):
    """Ann's album with a run on it, a run that begins with its weights, and a public run; visitors are alike."""
    with albums_at(tmp_path / "albums"), runs_at(tmp_path / "runs"):
        folder = training_folder(ALBUMS, fill_album(ANN, tmp_path))
        records = [*(step(number) for number in range(1, 4)), evaluation(3, 0.5)]
        for name, values in ((PRIVATE, {}), (PUBLIC, {"loss.gamma": 1.0})):
            make_run(RUNS.root / name, values, records).weights.write_bytes(b"weights")
        run = RUNS.folder(PRIVATE)
        run.write_about(run.read_about()._replace(source=str(folder), owner=ANN))
        make_run(RUNS.root / DERIVED, {"model.weights": str(run.weights)}, records)
        assert not VISITORS.apart
        yield folder


def table(visitor: str, **request) -> tuple[dict, str, list[str]]:
    found = handle_request({"act": "look", **request}, RUNS, visitor)
    return found, found.get("shown", ""), [row["run"] for row in json.loads(found["shown"])["rows"]]


def test_the_owner_sees_the_runs(source):
    assert set(table(ANN)[2]) == {PRIVATE, PUBLIC, DERIVED}
    assert {name for _, name in list_runs(PageState("training", visitor=ANN)).choices} == {PRIVATE, PUBLIC, DERIVED}
    require_own_run(PRIVATE, ANN)
    require_known_weights(Config.from_flat({"model.weights": str(RUNS.folder(PRIVATE).weights)}), ANN)
    assert admit(PageState("training", run=PRIVATE, visitor=ANN)) == (
        PageState("training", run=PRIVATE, visitor=ANN),
        "",
    )


def test_weights_that_were_uploaded_for_a_run_are_not_those_that_it_has_made(source):
    private, public = (RUNS.folder(name).path / UPLOADED / "w.pth" for name in (PRIVATE, PUBLIC))
    assert find_runs(private) == find_runs(public) == []
    assert [run.path.name for run in find_runs(RUNS.folder(PRIVATE).weights)] == [PRIVATE]
    assert may_see_file(private, ANN) and not may_see_file(private, BOB) and may_see_file(public, BOB)
    make_run(RUNS.root / DERIVED, {"model.weights": str(RUNS.folder(DERIVED).path / UPLOADED / "w.pth")}, [step(1)])
    assert [run.path.name for run in find_lineage(RUNS.folder(DERIVED))] == [DERIVED]


@pytest.mark.parametrize("visitor", [BOB, ""])
def test_nobody_else_sees_or_changes_them(source, visitor):
    _, shown, names = table(visitor, chosen=[PRIVATE, DERIVED])
    assert names == [PUBLIC] and PRIVATE not in shown and DERIVED not in shown and json.loads(shown)["figure"] == ""
    assert [name for _, name in list_runs(PageState("training", visitor=visitor)).choices] == [PUBLIC]
    for act in ("label", "delete"):
        for name in (PRIVATE, DERIVED):
            said = handle_request({"act": act, "run": name, "name": "x", "tags": ""}, RUNS, visitor)["said"]
            assert "no longer exists" in said and RUNS.has(name)
    with pytest.raises(RunError, match="private pictures"):
        require_own_run(PRIVATE, visitor)
    for name in (PRIVATE, DERIVED):
        hidden, message = admit(PageState("training", run=name, visitor=visitor))
        assert hidden.run == "" and "not shared" in message


@pytest.mark.parametrize("visitor", [BOB, ""])
@pytest.mark.parametrize("file", ["weights", "checkpoint"])
def test_nobody_else_uses_their_weights(source, visitor, file):
    config = Config.from_flat({"model.weights": str(getattr(RUNS.folder(PRIVATE), file))})
    pinned = PageState("loss", pinned=config.to_query(), visitor=visitor)
    for call in (lambda: require_known_weights(config, visitor), pinned.pinned_config):
        with pytest.raises(ConfigError, match="private pictures"):
            call()
    key = handle_request({"act": "delete", "run": PRIVATE}, RUNS, ANN)["undo"]
    deleted = Config.from_flat({"model.weights": str(Trash(RUNS.root).path(key) / "weights.safetensors")})
    require_known_weights(deleted, ANN)
    with pytest.raises(ConfigError, match="private pictures"):
        require_known_weights(deleted, visitor)


@pytest.mark.parametrize("visitor", [BOB, ""])
def test_nobody_else_sees_or_restores_deleted_ones(source, visitor):
    key = handle_request({"act": "delete", "run": PRIVATE}, RUNS, ANN)["undo"]
    assert json.loads(table(visitor)[1])["trash"] == [] and len(json.loads(table(ANN)[1])["trash"]) == 1
    assert "private" in handle_request({"act": "restore", "key": key}, RUNS, visitor)["said"] and not RUNS.has(PRIVATE)
    assert "is back" in handle_request({"act": "restore", "key": key}, RUNS, ANN)["said"]


def test_a_run_in_the_queue_is_only_seen_to_be_there(source):
    RUNS.folder(PRIVATE).write_status(RUNNING, "")
    with RUNS.folder(PRIVATE).acquire_lock():
        assert RUNS.current(ANN) == PRIVATE and RUNS.current(BOB) == ""
        _, shown, names = table(BOB)
        assert "no longer exists" in handle_request({"act": "delete", "run": "private 1"}, RUNS, BOB)["said"]
    assert names == ["private 1", PUBLIC]
    row = json.loads(shown)["rows"][0]
    assert row["title"] == "a private run" and not row["mine"] and PRIVATE not in shown and "secret" not in shown


def test_shared_ones_are_seen_and_used_but_not_changed(source):
    ALBUMS.share(ANN, True)
    assert set(table(BOB)[2]) == {PRIVATE, PUBLIC, DERIVED}
    require_known_weights(Config.from_flat({"model.weights": str(RUNS.folder(PRIVATE).weights)}), BOB)
    for visitor in (BOB, ""):
        with pytest.raises(NotYoursError):
            require_own_run(PRIVATE, visitor)
    assert "another browser" in handle_request({"act": "delete", "run": PRIVATE}, RUNS, BOB)["said"]
    assert not next(row for row in json.loads(table(BOB)[1])["rows"] if row["run"] == PRIVATE)["mine"]
    require_own_run(PUBLIC, BOB)  # visitors are alike
    ALBUMS.share(ANN, False)
    assert table(BOB)[2] == [PUBLIC]


def test_an_album_that_is_gone_hides_its_runs(source):
    ALBUMS.use_folder(ALBUMS.folder)
    for each in source.parent.glob("album*.json"):
        each.unlink()
    assert table(BOB)[2] == [PUBLIC] and not RUNS.may_see(PRIVATE, BOB)


def test_messages_of_a_run_say_my_pictures_instead_of_a_path(source):
    run = RUNS.folder(PRIVATE)
    run.write_status("failed", f"{source} cannot be read: {source}/images/train/001-a.png is missing.")
    message = RUNS.statuses()[PRIVATE].message
    assert message == "My pictures cannot be read: images/train/001-a.png is missing."

"""If the operator keeps visitors apart, they cannot change what others made."""

import json
from types import SimpleNamespace

import pytest

from core.config import Config
from core.data.untrusted import DataError
from playground.data.datasets import DATA
from playground.data.stored.bounds import Bounds
from playground.data.stored.library import DataSetLibrary
from playground.events.data.sets import undo_button
from playground.events.run_start import require_own_run
from playground.runs.labels import read_label
from playground.runs.service import Runs
from playground.runs.table_api import handle_request
from playground.support.visitors import COOKIE, VISITORS, NotYoursError, Sender, sender_of, visitor_of
from tests.core.made_data import yolo
from tests.playground.data.test_datasets import LINE, zipped
from tests.playground.made_runs import make_run, runs_at, step

MINE, THEIRS, NOBODYS = "20260101-000000-001", "20260101-000000-002", "20260101-000000-003"


def sender(secret: str) -> SimpleNamespace:
    return SimpleNamespace(cookies={COOKIE: secret} if secret else {})


ME, THEY = visitor_of(sender("me")), visitor_of(sender("they"))


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)


@pytest.fixture
def runs(tmp_path):
    for name, owner in ((MINE, ME), (THEIRS, THEY), (NOBODYS, "")):
        folder = make_run(tmp_path / name, {"training.steps": 1}, [step(1)])
        folder.write_about(folder.read_about()._replace(owner=owner))
    return Runs(tmp_path)


def test_a_visitor_is_the_hash_of_a_secret():
    assert len({ME, THEY, visitor_of(sender(""))}) == 3 and len(ME) == 32 and "me" not in ME
    assert visitor_of(None) == "" == visitor_of(sender("x" * 10_000))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_sender_is_known_by_cookie_and_address(host, address):
    plain, named = sender(""), sender("me")
    plain.client = named.client = SimpleNamespace(host=host)
    assert sender_of(plain) == (address, address) and not sender_of(plain).has_cookie
    assert sender_of(named) == (ME, address) and sender_of(named).has_cookie


def test_a_request_without_an_address_is_nobodys():
    assert (
        sender_of(None) == sender_of(sender("")) == Sender()
        and sender_of(SimpleNamespace(cookies={}, client=None)) == Sender()
    )


@pytest.mark.parametrize("act", ["label", "delete"])
def test_only_own_runs_and_runs_without_owner_can_be_changed(runs, apart, act):
    def asked(name):
        return handle_request({"act": act, "run": name, "name": "x", "tags": ""}, runs, ME)

    assert "was made in another browser: only that browser can" in asked(THEIRS)["said"]
    assert runs.has(THEIRS) and read_label(runs.root / THEIRS).name == ""
    for name in (MINE, NOBODYS):
        assert "another browser" not in asked(name)["said"]
        assert not runs.has(name) or read_label(runs.root / name).name == "x"


def test_the_table_marks_the_visitors_own_runs(runs, apart):
    rows = json.loads(handle_request({"act": "look"}, runs, ME)["shown"])["rows"]
    assert {row["run"]: row["mine"] for row in rows} == {MINE: True, THEIRS: False, NOBODYS: True}


def test_the_trash_of_other_visitors_is_out_of_reach(runs, apart):
    key = handle_request({"act": "delete", "run": THEIRS}, runs, THEY)["undo"]
    mine = handle_request({"act": "look"}, runs, ME)
    assert json.loads(mine["shown"])["trash"] == []
    assert "another browser" in handle_request({"act": "restore", "key": key}, runs, ME)["said"] and not runs.has(
        THEIRS
    )
    assert "is back" in handle_request({"act": "restore", "key": key}, runs, THEY)["said"] and runs.has(THEIRS)


def test_runs_of_other_visitors_cannot_be_stopped(runs, apart):
    with runs_at(runs.root):
        require_own_run(MINE, ME)
        require_own_run("none", ME)
        with pytest.raises(NotYoursError, match=f"The run {THEIRS} was made in another browser"):
            require_own_run(THEIRS, ME)


def test_everyone_may_change_everything_if_visitors_are_not_kept_apart(runs):
    assert not VISITORS.apart
    assert handle_request({"act": "delete", "run": THEIRS}, runs, ME)["undo"]


def test_only_their_owner_splits_deletes_and_puts_back_data_sets(tmp_path, apart, monkeypatch):
    monkeypatch.setattr(DATA, "library", DataSetLibrary(tmp_path / "kept", Bounds()))
    archive = zipped(yolo(tmp_path / "set", {f"p{number}": LINE for number in range(10)}))
    DATA.add_zip(archive, "set.zip", Config(), owner=ME)
    for refused in (
        lambda: DATA.split("set", "random", (0.8, 0.1, 0.1), Config(), visitor=THEY),
        lambda: DATA.delete("set", visitor=THEY),
    ):
        with pytest.raises(NotYoursError, match="The data set set was made in another browser"):
            refused()
    DATA.split("set", "random", (0.6, 0.2, 0.2), Config(), visitor=ME)
    assert (DATA.last_split(ME), DATA.last_split(THEY)) == ("set", "")
    with pytest.raises(DataError, match="no split of yours"):
        DATA.undo_split(Config(), visitor=THEY)
    DATA.delete("set", visitor=ME)
    assert DATA.last_deleted(THEY) is None and not undo_button(sender("they")).visible
    assert undo_button(sender("me")).value == "Put set back"
    assert DATA.restore(ME).splits == {"train": 6, "val": 2, "test": 2}
    assert DATA.last_deleted(ME) is None

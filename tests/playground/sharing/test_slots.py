import pytest

from core.errors import UserError
from playground.sharing.shares import Share
from playground.sharing.slots import Slots
from playground.support.visitors import VISITORS


@pytest.fixture
def slots(monkeypatch) -> Slots:
    monkeypatch.setattr(VISITORS, "apart", True)
    monkeypatch.setattr("playground.sharing.shares.SHARE", Share(uploads=2))
    return Slots("uploads", "Too many.")


def test_a_visitor_does_so_much_at_a_time_and_others_do_not_wait(slots):
    with slots.take("me"), slots.take("me"):
        with pytest.raises(UserError, match=r"^Too many\.$"), slots.take("me"):
            pass
        with slots.take("you"):
            pass
    with slots.take("me"):
        pass


def test_what_fails_counts_no_longer(slots):
    for _ in range(5):
        with pytest.raises(ValueError), slots.take("me"):
            raise ValueError


def test_visitors_who_are_alike_are_not_counted(slots, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", False)
    with slots.take("me"), slots.take("me"), slots.take("me"), slots.take("me"):
        pass

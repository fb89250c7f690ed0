"""The first answer is computed in advance, but not before the page is served."""

from types import SimpleNamespace

from playground.server import first_answer
from playground.server.first_answer import prepare_first_answer
from tests.waiting import wait


def test_a_new_visitors_state_is_rendered_once_the_page_is_served(monkeypatch):
    rendered, slept = [], []
    page = SimpleNamespace(is_running=False)

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            assert not rendered
            page.is_running = True

    monkeypatch.setattr(first_answer, "render", rendered.append)
    monkeypatch.setattr(first_answer, "time", SimpleNamespace(sleep=sleep))
    prepare_first_answer(page)
    wait(lambda: rendered)
    [state] = rendered
    assert state.in_story and len(slept) == 4

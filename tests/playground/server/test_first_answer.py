"""The first answer is computed in advance, but not before the page is served."""

from types import SimpleNamespace

from playground.server import first_answer
from playground.server.first_answer import prepare_first_answer


def test_a_new_visitors_state_is_rendered_once_the_page_is_served(monkeypatch):
    rendered, slept = [], []
    page = SimpleNamespace(is_running=False)

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            assert not rendered
            page.is_running = True

    monkeypatch.setattr(first_answer, "render_in_stages", lambda state: iter([rendered.append(state)]))
    monkeypatch.setattr(first_answer, "time", SimpleNamespace(sleep=sleep))
    prepare_first_answer(page).join(60)
    [state] = rendered
    assert state.in_story and len(slept) == 4


def test_the_end_of_the_program_ends_the_waiting(monkeypatch):
    monkeypatch.setattr(first_answer.threading, "main_thread", lambda: SimpleNamespace(is_alive=lambda: False))
    monkeypatch.setattr(first_answer, "render_in_stages", None)
    thread = prepare_first_answer(SimpleNamespace(is_running=False))
    thread.join(60)
    assert not thread.is_alive()

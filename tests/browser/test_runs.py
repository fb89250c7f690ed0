"""The table of runs in a real browser: curves over each other, sorting, finding, names, deletion and its undoing."""

import json
import time

import httpx
import pytest

from playground.events import training
from playground.events.training import list_runs
from tests.browser.looking import address_of
from tests.playground.made_runs import evaluation, make_run, runs_at, step
from tests.waiting import wait

pytestmark = pytest.mark.browser
OLD, NEW = "20260101-000000-001", "20260101-000000-002"
NASTY = "<img src=x onerror=alert(1)> ${alert(2)}"


@pytest.fixture
def address(address, tmp_path):
    slow = [*(step(number, 1 / number) for number in range(1, 31)), evaluation(15, 0.25), evaluation(30, 0.5)]
    fast = [*(step(number, 2 / number) for number in range(1, 21)), evaluation(20, 0.125)]
    make_run(tmp_path / OLD, {"training.steps": 30, "loss.gamma": 2}, slow)
    make_run(tmp_path / NEW, {"training.steps": 30, "loss.gamma": 10 / 2}, fast, state="stopped")
    with runs_at(tmp_path):
        yield address


def rows(page) -> list[str]:
    return page.locator(".runs tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.run)")


def figure(page) -> list[dict]:
    drawn = "(JSON.stringify(document.querySelector('.runs .plot')?.data?.map(({name, x, y}) => ({name, x, y})) ?? []))"
    return json.loads(page.evaluate(drawn))


def sort(page, name: str) -> None:
    page.locator(".runs thead").get_by_role("button", name=name, exact=True).click()


def test_runs_are_compared_named_deleted_and_put_back(page, address, tmp_path):
    page.goto(f"{address}?step=training", timeout=120_000)
    wait(lambda: rows(page) == [NEW, OLD])
    text = page.text_content(".runs thead")
    assert "γ (focusing)" in text and "α" not in text  # what differs, and nothing else

    sort(page, "AP")
    assert rows(page) == [NEW, OLD] and page.get_attribute(".runs th[aria-sort]", "aria-sort") == "ascending"
    sort(page, "AP")
    assert rows(page) == [OLD, NEW]

    page.get_by_label("Draw all visible runs").check()
    wait(lambda: len(figure(page)) == 4)
    losses = {trace["name"]: trace for trace in figure(page)[:2]}
    assert losses[OLD]["x"] == [1, 11, 21, 30] and losses[OLD]["y"][0] == 1.25
    assert figure(page)[2:] and {len(trace["x"]) for trace in figure(page)[2:]} == {1, 2}
    page.get_by_label(f"Draw {NEW}").uncheck()
    wait(lambda: [trace["name"] for trace in figure(page)] == [OLD, OLD])
    assert page.text_content(".runs-message") == "" and page.get_attribute(".runs .plot", "data-drawn")

    page.get_by_label(f"Name and tags of {OLD}").click()
    page.get_by_label("Name", exact=True).fill(NASTY)
    page.get_by_label("Tags", exact=True).fill("good, first")
    page.keyboard.press("Enter")
    wait(lambda: NASTY in page.text_content(".runs tbody"))
    assert page.locator(".runs img").count() == 0 and json.loads((tmp_path / OLD / "label.json").read_text())
    field = page.get_by_label("Find runs")
    for words, found in (("#good", [OLD]), ("stopped", [NEW]), ("nothing", []), ("", [OLD, NEW])):
        field.fill(words)
        assert rows(page) == found
    assert "2 of 2" in page.text_content(".runs-count")

    page.get_by_label(f"Delete {NASTY}").click()
    wait(lambda: rows(page) == [NEW])
    assert not (tmp_path / OLD).exists() and "is deleted" in page.text_content(".runs-message")
    assert page.locator(".runs .plot").is_hidden()
    page.get_by_role("button", name="Undo", exact=True).last.click()
    wait(lambda: rows(page) == [OLD, NEW])
    assert (tmp_path / OLD / "metrics.jsonl").exists() and "is back" in page.text_content(".runs-message")

    page.get_by_label(f"Delete {NEW}").click()
    wait(lambda: rows(page) == [OLD])
    page.reload(timeout=120_000)  # what was deleted can still be put back
    wait(lambda: rows(page) == [OLD])
    page.get_by_text("Deleted runs (1)").click()
    page.get_by_label(f"Restore {NEW}").click()
    wait(lambda: rows(page) == [NEW, OLD])


def test_a_button_stays_where_it_is_while_its_run_goes_on(page, address, tmp_path):
    page.goto(f"{address}?step=training", timeout=120_000)
    wait(lambda: rows(page) == [NEW, OLD])
    button, head = (page.locator(f".runs {each}").first.element_handle() for each in ("tbody .runs-acts button", "th"))
    assert "20 of 30" in page.text_content(".runs tbody")
    with (tmp_path / NEW / "metrics.jsonl").open("a") as metrics:
        metrics.write(json.dumps(step(21, 0.1)) + "\n")
    wait(lambda: "21 of 30" in page.text_content(".runs tbody"))
    assert button.evaluate("button => button.isConnected") and head.evaluate("head => head.isConnected")
    button.click()
    assert page.get_by_label("Name", exact=True).is_visible()


def test_the_name_of_a_run_is_saved_while_that_of_another_is_being_edited(page, address):
    page.goto(f"{address}?step=training", timeout=120_000)
    wait(lambda: rows(page) == [NEW, OLD])
    page.get_by_label(f"Name and tags of {OLD}").click()
    page.get_by_label("Name", exact=True).fill("the first")
    page.locator(".runs form").evaluate(
        "(form, next) => { form.requestSubmit(); document.querySelector(`[aria-label='${next}']`).click(); }",
        f"Name and tags of {NEW}",
    )
    wait(lambda: "the first" in page.text_content(".runs tbody"))
    assert page.get_by_label("Name", exact=True).get_attribute("placeholder") == NEW


def test_the_table_scrolls_by_itself_on_a_phone_and_shows_at_its_step_only(new_page, address):
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}?step=picture", timeout=120_000)
    page.wait_for_selector(".pic[data-drawn]")
    assert page.locator(".runs").is_hidden()
    page.click('.strip button[data-step="training"]')
    wait(lambda: page.locator(".runs tbody tr").count() == 2 and page.locator(".runs").is_visible())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".runs-scroll").evaluate("box => box.scrollWidth > box.clientWidth")


def test_of_two_runs_chosen_in_a_row_the_newer_one_is_shown(page, address, monkeypatch):
    def list_slowly(state):
        time.sleep(1 if state.run == OLD else 0)
        return list_runs(state)

    page.goto(f"{address}?step=training", timeout=120_000)
    wait(lambda: rows(page) == [NEW, OLD])
    monkeypatch.setattr(training, "list_runs", list_slowly)
    for name in (OLD, NEW):
        page.get_by_label("Run", exact=True).click()
        page.get_by_role("option", name=name).click()
    wait(lambda: f"run={NEW}" in address_of(page))
    assert NEW in page.get_by_label("Run", exact=True).input_value()


ASK = """async ([address, call]) => {
  const response = await fetch(`${address}gradio_api/component_server`,
    { method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify(call) });
  return response.status;
}"""


def test_a_page_of_another_site_cannot_delete_a_run(page, windows, address, tmp_path):
    table = next(each for each in httpx.get(f"{address}config").json()["components"] if "all-runs" in str(each))
    call = {"component_id": table["id"], "fn_name": "runs", "data": {"act": "delete", "run": OLD}, "session_hash": "s"}
    page.goto(f"{address.replace('127.0.0.1', 'localhost')}robots.txt")
    assert page.evaluate(ASK, [address, call]) == 0  # which tells the page nothing
    assert (tmp_path / OLD).exists()
    page.goto(f"{address}robots.txt")
    assert windows.problems and {"403" in each for each in windows.problems} == {True}
    windows.problems.clear()
    assert page.evaluate(ASK, [address, call]) == 200
    assert not (tmp_path / OLD).exists()

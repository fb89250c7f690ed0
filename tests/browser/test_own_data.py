"""One's own data on the real page: a zip is brought, looked through, shown and evaluated; a cell is clicked."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from core.config import Config
from core.retinanet.model import build_model
from core.weights.sources import save_weights
from playground.data.datasets import DATA
from playground.runs.service import RUNS
from tests.browser.looking import address_of, choose, layers, notice
from tests.core.made_data import coco, coco_content, voc, voc_object
from tests.waiting import wait

pytestmark = pytest.mark.browser
TINY = {"model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 64, "training.eval_images": 6}
CLASSES = ("square", "bar")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Runs and data sets of the tests' own, with weights that know their classes."""
    folder = tmp_path_factory.mktemp("home")
    config = Config.from_flat(TINY)
    model = build_model(config.model, num_classes=2, anchors_per_location=9)
    (folder / "runs").mkdir()
    save_weights(folder / "runs" / "w.safetensors", model, config, CLASSES, (1, 2))
    return folder


@pytest.fixture(scope="module")
def address(address, home):
    before = RUNS.root, DATA.library.folder
    RUNS.use_folder(home / "runs")
    DATA.use_folder(home / "data")
    yield address
    RUNS.use_folder(before[0])
    DATA.use_folder(before[1])


@pytest.fixture
def archive(tmp_path):
    """Ten pictures of a square each, in YOLO's format."""
    folder, random = tmp_path / "set", np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number in range(10):
        pixels = random.integers(0, 60, (64, 64, 3), dtype=np.uint8)
        pixels[16:48, 16:48] = 255
        Image.fromarray(pixels).save(folder / "images" / f"p{number}.png")
        (folder / "labels" / f"p{number}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text(f"names: [{', '.join(CLASSES)}]\n")
    return packed(folder, tmp_path / "squares.zip")


def packed(folder, archive):
    with zipfile.ZipFile(archive, "w") as content:
        for path in folder.rglob("*"):
            content.write(path, path.relative_to(folder))
    return archive


def bring(page, archive) -> None:
    if not page.locator("#own-data input[type=file]").count():
        page.click("#own-data > button")
    page.set_input_files("#own-data input[type=file]", str(archive))


def source(page) -> str:
    return page.input_value(".source-of")


def test_from_a_zip_to_a_cell_of_the_matrix(address, page, home, archive):
    weights = home / "runs" / "w.safetensors"
    query = "&".join(f"{path}={value}" for path, value in TINY.items())
    page.goto(f"{address}?{query}&model.weights={weights}")
    page.wait_for_selector(".pic[data-drawn]")
    bring(page, archive)
    wait(lambda: source(page) == "squares")
    report = page.text_content(".readout")
    assert (
        "squares: YOLO, " in report
        and "pictures in images/; no splits given" in report
        and "10 pictures, 2 classes." in report
    )
    assert "1 class without any object" in page.text_content(".readout") and notice(page) == ""
    page.click(".source-onward")
    wait(lambda: "data=squares/train/2" in address_of(page))
    page.fill(".source-number", "7")
    page.keyboard.press("Enter")
    wait(lambda: "data=squares/train/7" in address_of(page))
    wait(lambda: layers(page)["truth"] == 1)
    choose(page, "evaluation")
    assert not page.locator("#stop-evaluation").is_visible()
    page.click("button:text-is('Evaluate')")
    wait(lambda: page.locator(".readout .matrix").count())
    assert "6 pictures of squares, train" in page.text_content(".readout")
    cell = page.locator(".matrix td button").first
    said = cell.get_attribute("aria-label")
    cell.click()
    wait(lambda: "choice=cell" in address_of(page))
    label = said.split(" × ")[1].split(":")[0]
    wait(lambda: label in page.text_content(".source-name"))
    wait(lambda: layers(page).get("asked", 0) > 0)
    assert page.evaluate("document.activeElement.dataset.choose").startswith("choice cell")  # the focus stays
    page.reload()
    page.wait_for_selector(".readout .matrix")  # it was kept
    assert label in page.text_content(".source-name")


@pytest.mark.timeout(120)
def test_a_broken_zip_is_told_and_leaves_nothing(address, page, home, tmp_path):
    content = coco_content()
    content["annotations"][0]["category_id"] = 77
    (tmp_path / "noise.zip").write_bytes(b"PK\x03\x04 no zip at all")
    page.goto(f"{address}?step=picture")
    page.wait_for_selector(".pic[data-drawn]")
    before = sorted((home / "data").glob("*")) if (home / "data").exists() else []
    bring(page, packed(coco(tmp_path / "bad", content), tmp_path / "bad.zip"))
    wait(lambda: "bad.zip cannot be used because of 1 object of an unknown class" in notice(page))
    assert "Prevents training" in page.text_content(".readout") and source(page) == ""
    bring(page, tmp_path / "noise.zip")
    wait(lambda: "noise.zip is not a zip or is damaged" in notice(page))
    page.wait_for_timeout(1000)  # in which the event that shows imports has been answered, too
    assert "noise.zip is not a zip or is damaged" in notice(page)
    assert [path for path in sorted((home / "data").glob("*")) if path not in before] == []


def test_a_link_to_data_that_is_not_here(address, page):
    page.goto(f"{address}?data=theirs/val/3&step=anchors")
    page.wait_for_selector(".pic[data-drawn]")
    wait(lambda: "The picture of the link is not on show" in notice(page))
    assert page.locator('.strip button[data-step="anchors"][aria-current]').count() == 1


@pytest.mark.timeout(120)
def test_a_data_set_is_deleted_and_put_back(address, page, home, archive):
    page.goto(f"{address}?step=picture")
    page.wait_for_selector(".pic[data-drawn]")
    bring(page, archive)
    wait(lambda: source(page).startswith("squares"))
    name = source(page)
    page.click("button:text-is('Delete the data set')")
    wait(lambda: source(page) != name)
    assert "is deleted" in notice(page)
    assert f'value="{name}"' not in page.inner_html(".source-of")
    page.reload()  # it can be put back later, too
    page.wait_for_selector(".pic[data-drawn]")
    page.click("#own-data > button")
    page.click("#put-data-back")
    wait(lambda: source(page) == name)
    wait(lambda: f"data={name}/train/" in address_of(page))
    wait(lambda: layers(page)["truth"] == 1)  # the scene that was there instead has more


@pytest.mark.timeout(120)
def test_the_data_set_that_was_on_show_at_the_click_is_deleted(address, page, archive):
    page.goto(f"{address}?step=picture")
    page.wait_for_selector(".pic[data-drawn]")
    bring(page, archive)
    wait(lambda: source(page).startswith("squares"))
    name, held = source(page), []
    page.route("**/queue/join*", lambda route: route.continue_() if held else held.append(route))
    page.click("button:text-is('Delete the data set')")
    wait(lambda: page.evaluate("1") and held)  # routes are called while the page is asked
    page.select_option(".source-of", "scenes")
    wait(lambda: "data=scenes/" in address_of(page))
    held[0].continue_()
    wait(lambda: f"The data set {name} is deleted" in notice(page))
    assert source(page) == "scenes" and "data=scenes/" in address_of(page)


def test_a_zip_that_fits_two_formats_is_asked_about_and_nothing_is_lost(address, page, home, tmp_path):
    folder = coco(tmp_path / "set", coco_content())
    voc(tmp_path / "set", {f"p{number}": voc_object("horse") for number in range(10)})
    page.goto(f"{address}?step=picture")
    page.wait_for_selector(".pic[data-drawn]")
    bring(page, packed(folder, tmp_path / "both.zip"))
    page.wait_for_selector("#data-format input")
    wait(lambda: "both.zip can be read in several formats: choose the right one" in notice(page))
    names = page.locator("#data-format label").all_inner_texts()
    assert names == ["COCO", "Pascal VOC"] and not (home / "data" / "both").exists()
    page.click("#use-format")
    wait(lambda: "No format is chosen" in notice(page))
    page.click("#data-format label:has-text('Pascal VOC')")
    page.click("#use-format")
    wait(lambda: source(page) == "both")
    assert DATA.library.get("both").format == "voc" and DATA.library.get("both").check.class_names == ("horse",)
    page.wait_for_selector("#data-format", state="hidden")

import errno
import os
import subprocess
import sys
import zipfile

import pytest

from core.cli.export import ENDINGS
from core.config import Config
from core.errors import UserError
from core.export.bundle import SCRIPT, SETTINGS, WEIGHTS
from playground.events.export import export_detector
from playground.layout.step_controls import EXPORT_FORMATS


@pytest.mark.slow
def test_the_file_holds_the_settings_on_show():
    config = Config.from_flat({"inference.score_threshold": 0.2})
    with zipfile.ZipFile(export_detector(config, ".zip")) as archive:
        assert {SCRIPT, SETTINGS, WEIGHTS} <= set(archive.namelist())
        assert b"score_thresh=0.2" in archive.read(SCRIPT)


@pytest.mark.slow
def test_weights_that_are_no_detector_are_refused():
    with pytest.raises(UserError, match=r"^The weights random are not those of a detector"):
        export_detector(Config.from_flat({"model.weights": "random"}), ".onnx")


@pytest.mark.parametrize("ending", ["", ".exe", "/../../a.zip", ".zip/"])
def test_other_endings_are_refused(ending):
    with pytest.raises(UserError, match="choose one of"):
        export_detector(Config(), ending)


def test_a_full_disk_is_one_sentence(monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.events.export.write_text", refuse)
    with pytest.raises(UserError, match=r"^The server cannot export a detector, because its disk is full: "):
        export_detector(Config(), ".safetensors")


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EAGAIN, errno.EMFILE])
def test_a_system_that_starts_no_process_is_one_sentence(monkeypatch, number):
    def refuse(*_, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    said = f"^The server cannot export a detector, because {os.strerror(number)}: ask its operator to correct that\\.$"
    with pytest.raises(UserError, match=said):
        export_detector(Config(), ".safetensors")


def test_what_is_offered_can_be_made():
    assert {ending for _, ending in EXPORT_FORMATS} <= set(ENDINGS)


def test_an_export_reports_its_seconds_and_hides_paths(monkeypatch, tmp_path):
    weights = tmp_path / "secret" / "mine.safetensors"
    code = f"import sys, time; time.sleep(1.2); sys.exit('error: {weights} is no detector')"
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: real([sys.executable, "-c", code], **options))
    seconds = []
    with pytest.raises(UserError, match=r"^mine\.safetensors is no detector$"):
        export_detector(Config.from_flat({"model.weights": str(weights)}), ".onnx", seconds.append)
    assert seconds[:2] == [0, 1]

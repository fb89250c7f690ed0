"""What keeps the page from starting is one sentence."""

import errno
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from playground import main as command
from playground.support import starting
from playground.support.starting import (
    UPLOADS_VARIABLE,
    StartError,
    find_port,
    keep_uploads_apart,
    require_folders,
)


@pytest.fixture
def listening():
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The page is started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path


def test_a_port_in_use_is_said_and_the_next_free_one_is_taken(listening, monkeypatch):
    with pytest.raises(StartError, match=f"Port {listening} is in use: end the program that uses it, or choose"):
        find_port("127.0.0.1", listening)
    monkeypatch.setenv("GRADIO_SERVER_PORT", str(listening))
    assert listening < find_port("127.0.0.1", None) < listening + 100
    with pytest.raises(StartError, match=f"Port {listening} is in use"):
        find_port("0.0.0.0", listening)


def test_no_free_port_at_all_is_said(monkeypatch):
    monkeypatch.setattr(starting, "_is_in_use", lambda host, port: True)
    with pytest.raises(StartError, match="All ports from 7860 to 7959 are in use: choose another with --port"):
        find_port("127.0.0.1", None)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "65530")
    with pytest.raises(StartError, match="All ports from 65530 to 65535"):
        find_port("127.0.0.1", None)


@pytest.mark.parametrize("text", ["", "0", "-1", "65536", "7860.5", "١", "x" * 900, "1e3", "99999999999"])
def test_what_is_no_port_is_said(text, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        command.parse(["--port", text])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "is no port: name one from 1 to 65535" in said and len(said) < 500
    if text:
        monkeypatch.setenv("GRADIO_SERVER_PORT", text)
        with pytest.raises(StartError, match=r"GRADIO_SERVER_PORT: .* is no port"):
            find_port("127.0.0.1", None)


@pytest.mark.parametrize("host", ["192.0.2.1", "", "..", "no such host", "a" * 70])
def test_an_address_of_another_machine_is_said(host):
    with pytest.raises(StartError, match=r"is no address of this machine: name one, or 0.0.0.0 for all"):
        find_port(host, 7860)


def test_a_port_that_is_for_the_administrator_is_said(monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(StartError, match="Port 80 is not for this user: choose one above 1023 with --port"):
        find_port("127.0.0.1", 80)


def test_folders_that_can_be_used_are_left_as_they_are(here):
    (here / "runs").mkdir()
    require_folders()
    assert [each.name for each in here.rglob("*")] == ["runs"]


@pytest.mark.parametrize("name", ["runs", "data", "albums", "evaluations", "uploads"])
def test_a_file_in_the_way_of_a_folder_is_said(here, name):
    (here / name).touch()
    with pytest.raises(StartError, match=rf"The folder \S*/{name} cannot be used: Not a directory\. Move the file"):
        require_folders()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EIO])
def test_a_folder_that_cannot_be_written_is_said(monkeypatch, number, capsys):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert command.main(["--port", str(find_port("127.0.0.1", None))]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: The folder ") and f"cannot be used: {os.strerror(number)}. " in said
    assert said.count("\n") == 1 and "keeps what visitors make in the folder in which it starts" in said


def test_a_folder_of_another_user_is_said(here, monkeypatch):
    (here / "evaluations").mkdir()

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(StartError, match=r"evaluations cannot be used: Permission denied. Let this user write there"):
        require_folders()


def test_no_folder_for_temporary_files_is_said(monkeypatch):
    def refuse():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    monkeypatch.setattr(starting, "FOLDERS", ())
    with pytest.raises(Exception, match=r"no folder for temporary files that can be written: free .* TMPDIR"):
        require_folders()


def test_an_upload_folder_that_cannot_be_made_names_the_variable(here, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(here / "file" / "inside"))
    (here / "file").touch()
    with pytest.raises(StartError, match=r"file cannot|inside cannot.*unless GRADIO_TEMP_DIR names another folder"):
        require_folders()


def test_names_and_folders_that_the_command_line_refuses(here, capsys):
    for arguments, said in (
        (["--allowed-host", "https://a.org"], "is not a name: write it as browsers send it"),
        (["--data-folder", str(here / "none")], "there is no folder"),
        (["--visitors", "both"], "invalid choice"),
    ):
        with pytest.raises(SystemExit) as ended:
            command.parse(arguments)
        assert ended.value.code == 2 and said in capsys.readouterr().err


def test_named_hosts_reach_the_page():
    hosts = command.parse(["--host", "::", "--allowed-host", "a.org", "--allowed-host", "B.org"]).hosts
    assert hosts.listening == "::" and hosts.public == {"a.org", "b.org"}


def test_uploads_of_killed_servers_are_removed(here, tmp_path):
    home, pictures = tmp_path / "uploads", []
    for stem in ("killed", "living"):
        os.environ[UPLOADS_VARIABLE] = str(home)
        keep_uploads_apart()
        pictures.append(Path(os.environ[UPLOADS_VARIABLE]) / f"{stem}.pth")
        pictures[-1].touch()
    assert all(path.exists() for path in pictures)  # both live
    killed = pictures[0].parent.parent
    shutil.move(killed, tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", killed)  # whose lock nobody holds: it is another file
    os.environ[UPLOADS_VARIABLE] = str(home)
    keep_uploads_apart()
    assert [path.exists() for path in pictures] == [False, True]


def test_no_room_for_uploads_is_one_sentence(here, tmp_path):
    (tmp_path / "uploads").touch()
    with pytest.raises(
        StartError, match=r"^Uploads cannot be kept in the folder .*uploads: File exists\. Move the file"
    ):
        keep_uploads_apart()

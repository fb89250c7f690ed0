"""What has to be there before the page can start: a free port, and folders that can be written."""

import argparse
import errno
import os
import socket
from pathlib import Path

from core.errors import UserError, quote
from core.io.parts import OwnFolder
from core.io.troubles import PlaceError, explain, require_temporary, require_usable
from playground.support.untrusted import is_index

LOCAL = "127.0.0.1"  # what the page listens on, unless an address is given
# What visitors make, in the folder in which the page is started.
RUNS, DATA, ALBUMS, EVALUATIONS = (Path(name) for name in ("runs", "data", "albums", "evaluations"))
FOLDERS = (RUNS, DATA, ALBUMS, EVALUATIONS)
FIRST_PORT = 7860
PORTS_TRIED = 100
MAX_PORT = 65535
UPLOADS = "uploads"  # the folder of a server for them
# Gradio reads these, too: the address and the first port to listen on, and the folder for uploads.
HOST_VARIABLE, PORT_VARIABLE, UPLOADS_VARIABLE = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_TEMP_DIR"


class StartError(UserError):
    """Something that keeps the page from starting; the message says what to do."""


def parse_port(text: str) -> int:
    """Returns a port.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not (is_index(text) and 0 < int(text) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"{quote(text)} is no port: name one from 1 to {MAX_PORT}")
    return int(text)


def find_port(host: str, wanted: int | None) -> int:
    """Returns the port to listen on.

    Args:
        host: The address to listen on.
        wanted: The port; None for the first one that is free.

    Raises:
        StartError: It is in use or not for this user, no port is free, or the address is not one of this machine.
    """
    first = _first_port()
    ports = [wanted] if wanted else [*range(first, min(first + PORTS_TRIED, MAX_PORT + 1))]
    for port in ports:
        if not _is_in_use(host, port):
            return port
    if wanted:
        raise StartError(f"Port {wanted} is in use: end the program that uses it, or choose another with --port.")
    raise StartError(f"All ports from {ports[0]} to {ports[-1]} are in use: choose another with --port.")


def require_folders() -> None:
    """Checks that the page can keep what visitors upload and make.

    Raises:
        StartError: It cannot.
    """
    for made in FOLDERS:
        try:
            require_usable(made)
        except PlaceError as error:
            raise StartError(f"{error} The page keeps what visitors make in the folder in which it starts.") from None
    try:
        require_usable(_find_uploads())
    except PlaceError as error:
        raise StartError(f"{error} Uploads go there, unless {UPLOADS_VARIABLE} names another folder.") from None


def keep_uploads_apart() -> None:
    """Makes a folder for the uploads of this process, and removes those of killed ones.

    Raises:
        StartError: It cannot be made.
    """
    home = _find_uploads()
    try:
        own = OwnFolder(UPLOADS, lambda: home).make_folder()
    except OSError as error:
        raise StartError(f"Uploads cannot be kept in the folder {home}: {explain(error)}") from None
    os.environ[UPLOADS_VARIABLE] = str(own)  # where Gradio looks, too


def _find_uploads() -> Path:
    return Path(os.environ.get(UPLOADS_VARIABLE) or require_temporary() / "gradio")


def _first_port() -> int:
    text = os.environ.get(PORT_VARIABLE) or str(FIRST_PORT)
    try:
        return parse_port(text)
    except argparse.ArgumentTypeError as error:
        raise StartError(f"{PORT_VARIABLE}: {error}.") from None


def _is_in_use(host: str, port: int) -> bool:
    """True if another program listens on a port, at the address or where Gradio looks."""
    return any(_is_taken(each, port) for each in dict.fromkeys((host, os.environ.get(HOST_VARIABLE) or LOCAL)))


def _is_taken(host: str, port: int) -> bool:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except (socket.gaierror, UnicodeError):
        raise StartError(f"--host {host} is no address of this machine: name one, or 0.0.0.0 for all.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        if error.errno == errno.EADDRNOTAVAIL:
            raise StartError(f"--host {host} is no address of this machine: name one, or 0.0.0.0 for all.") from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise StartError(f"Port {port} is not for this user: choose one above 1023 with --port.") from None
        raise StartError(f"The page cannot listen on port {port} of {host}: {explain(error)}") from None
    return False

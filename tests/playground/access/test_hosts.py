"""Under which names the page is opened."""

import pytest

from core.config import ConfigError
from playground.access.hosts import SPACE_HOST, Authority, KnownHosts, is_local


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("localhost", "localhost", None),
        ("LocalHost.:7860", "localhost", 7860),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("[::1]:7860", "::1", 7860),
        ("[0:0:0:0:0:0:0:1]", "::1", None),
        ("my_box-2.lan:1", "my_box-2.lan", 1),
    ],
)
def test_an_authority_is_a_name_and_a_port(text, name, port):
    assert Authority.parse(text) == (name, port)


@pytest.mark.parametrize(
    "text",
    ["", " ", ":80", "a b", "a/b", "a@b", "http://a", "a:port", "a:123456", "[::1", "::1", "[a]", "é.de", "a,b",
     "a\nb", "a" * 254, "<b>", "[::1]x"],
)  # fmt: skip
def test_what_is_no_authority_is_none(text):
    assert Authority.parse(text) is None


@pytest.mark.parametrize(
    ("scheme", "one", "other", "same"),
    [
        ("https", "a.org", "a.org:443", True),
        ("http", "a.org", "a.org:80", True),
        ("http", "a.org", "a.org:443", False),
        ("http", "a:1", "a:1", True),
        ("http", "a:1", "a:2", False),
        ("http", "a:1", "b:1", False),
        ("ftp", "a", "a", True),
    ],
)
def test_a_missing_port_is_that_of_the_scheme(scheme, one, other, same):
    assert Authority.parse(one).is_at(Authority.parse(other), scheme) is same


LOCAL_ALONE = {"localhost": True, "127.0.0.1": True, "::1": True, "10.0.0.7": False, "evil.example": False}


@pytest.mark.parametrize(
    ("listening", "known"),
    [
        ("127.0.0.1", LOCAL_ALONE),
        ("localhost", LOCAL_ALONE),
        ("0.0.0.0", {**LOCAL_ALONE, "10.0.0.7": True, "2001:db8::1": True}),
        ("::", {**LOCAL_ALONE, "10.0.0.7": True}),
        ("[::]", {**LOCAL_ALONE, "10.0.0.7": True}),
        ("10.0.0.7", {**LOCAL_ALONE, "10.0.0.7": True, "10.0.0.8": False}),
        ("fe80::1", {"fe80::1": True, "localhost": True, "evil.example": False}),
        ("box.lan", {"box.lan": True, "evil.example": False}),
    ],
)
def test_the_server_answers_to_this_machine_and_what_it_listens_on(listening, known):
    hosts = KnownHosts(listening)
    assert {name: hosts.know(name) for name in known} == known


def test_names_can_be_given_and_those_of_a_space_are_known(monkeypatch):
    monkeypatch.setenv(SPACE_HOST, "me-space.example, custom.example,")
    hosts = KnownHosts("0.0.0.0", ["Page.Example"])
    assert [hosts.know(name) for name in ("me-space.example", "custom.example", "page.example")] == [True] * 3
    assert not hosts.know("other.example") and not hosts.know("")


@pytest.mark.parametrize("name", ["https://a.org", "a.org:80", "a.org/path", "", "*", "a b", "x" * 5000])
def test_what_is_more_than_a_name_is_refused(name):
    with pytest.raises(ConfigError, match=r"--allowed-host .* is not a name: write it") as refused:
        KnownHosts(named=[name])
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.168.1.5", False), ("a", False)],
)
def test_whether_other_machines_can_reach_the_page(host, local):
    assert is_local(host) == local

"""Addresses in all the forms that Ollama takes."""

from __future__ import annotations

import pytest

from pytest_chimera.client.address import parse_address
from pytest_chimera.errors import SettingError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("", "http://127.0.0.1:11434"),
        (" '1.2.3.4' ", "http://1.2.3.4:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":11435", "http://127.0.0.1:11435"),
        ("example.com", "http://example.com:11434"),
        ("example.com:56789", "http://example.com:56789"),
        ("example.com:56789/", "http://example.com:56789"),
        ("example.com/path", "http://example.com:11434/path"),
        ("http://1.2.3.4", "http://1.2.3.4"),
        ("HTTP://1.2.3.4:80/", "http://1.2.3.4"),
        ("https://example.com", "https://example.com"),
        ("https://example.com:56789//a/b/", "https://example.com:56789/a/b"),
        ("http://example.com/?x=1#y", "http://example.com"),
        ("ollama.com", "https://ollama.com"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[0001:002:003:0004::1]:56789/path", "http://[1:2:3:4::1]:56789/path"),
        ("https://[::1]", "https://[::1]"),
    ],
)
def test_an_address(text: str | None, url: str) -> None:
    """Every form that Ollama accepts in OLLAMA_HOST leads to the same server as there."""
    assert parse_address(text).url == url


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ftp://x", "the scheme 'ftp' is unknown"),
        ("http://", "it names no host"),
        ("host:port", "'port' is not a port"),
        ("host:65536", "'65536' is not a port"),
        ("a:b:c", "it has too many colons"),
        ("[::1", "its brackets do not match"),
        ("[::1]x", "its brackets do not match"),
        ("a b", "there is a blank in its host"),
    ],
)
def test_what_is_no_address(text: str, reason: str) -> None:
    """What cannot be connected to is refused with the reason and the accepted forms."""
    with pytest.raises(SettingError) as caught:
        parse_address(text)
    assert str(caught.value) == (
        f"{text!r} is not the address of a server: {reason}. Accepted: HOST, HOST:PORT, :PORT, or "
        "http(s)://HOST:PORT/PATH. Set it with --chimera-host or OLLAMA_HOST, as in 'http://127.0.0.1:11434'."
    )


def test_credentials_are_used_and_not_shown() -> None:
    """A password in an address becomes a header and appears in no text."""
    address = parse_address("http://me:s%40fe@example.com")
    assert address.authorization == "Basic bWU6c0BmZQ=="
    assert "s%40fe" not in repr(address) + address.url
    with pytest.raises(SettingError) as caught:
        parse_address("ftp://me:secret@example.com")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("LocalHost", True), ("10.0.0.1", False), ("x", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    """Only addresses that never leave this machine count as on it."""
    assert parse_address(host).is_loopback is loopback

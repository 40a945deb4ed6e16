"""Ways to a server, shared by both clients."""

from __future__ import annotations

import httpx
import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.client.address import parse_address
from pytest_chimera.client.proxies import proxy_for
from pytest_chimera.errors import SettingError

PROXIES = {"HTTP_PROXY": "http://plain:1", "HTTPS_PROXY": "http://secure:2"}


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("http://a.example:11434", {}),
        ("http://a.example:11434", PROXIES),
        ("https://a.example", PROXIES),
        ("http://a.example", {"ALL_PROXY": "http://all:3"}),
        ("https://a.example", {"ALL_PROXY": "all:3", "HTTP_PROXY": "http://plain:1"}),
        ("http://a.example", {"http_proxy": "http://lower:4", "HTTP_PROXY": "http://upper:5"}),
        ("http://a.example", {"http_proxy": "", "HTTP_PROXY": "http://upper:5"}),
        ("http://a.example", {"HTTP_PROXY": "http://plain:1", "REQUEST_METHOD": "GET"}),
        ("http://localhost:11434", PROXIES),
        ("http://localhost:11434", {**PROXIES, "NO_PROXY": "localhost"}),
        ("http://127.0.0.1:11434", {**PROXIES, "NO_PROXY": "localhost,127.0.0.1"}),
        ("http://127.0.0.1:11434", {**PROXIES, "no_proxy": "127.0.0.0/8"}),
        ("http://[::1]:11434", {**PROXIES, "no_proxy": "::1"}),
        ("http://a.example", {**PROXIES, "NO_PROXY": "example"}),
        ("http://a.example", {**PROXIES, "NO_PROXY": ".example"}),
        ("http://example", {**PROXIES, "NO_PROXY": ".example"}),
        ("http://notexample", {**PROXIES, "NO_PROXY": "example"}),
        ("http://a.example:8080", {**PROXIES, "NO_PROXY": "a.example:8080"}),
        ("http://a.example:8081", {**PROXIES, "NO_PROXY": "a.example:8080"}),
        ("http://a.example", {**PROXIES, "NO_PROXY": " x , * "}),
        ("https://a.example", {**PROXIES, "NO_PROXY": "http://a.example"}),
        ("http://a.example", {**PROXIES, "NO_PROXY": "http://a.example"}),
        ("http://a.example", {"HTTP_PROXY": "http://me:word@plain:1"}),
    ],
)
def test_the_way_is_that_of_httpx(url: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For every environment the proxy is the one that httpx would take."""
    for name in [name for name in __import__("os").environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with httpx.Client() as client:
        transport = client._transport_for_url(httpx.URL(url))
        pool = transport._pool  # type: ignore[attr-defined]
        theirs = getattr(pool, "_proxy_url", None)
    ours = proxy_for(parse_address(url), environ)
    assert (None if ours is None else (ours.host, ours.port)) == (
        None if theirs is None else (theirs.host.decode(), theirs.port)
    )


def test_a_proxy_that_is_none_of_http() -> None:
    """A SOCKS proxy is refused by name, with the way round it, and without its password."""
    with pytest.raises(SettingError) as caught:
        proxy_for(parse_address("http://x"), {"ALL_PROXY": "socks5://me:word@far:1080"})
    assert str(caught.value) == (
        "ALL_PROXY names the proxy 'socks5://far:1080', which cannot be used for measuring. Accepted: "
        "http://HOST:PORT or https://HOST:PORT. Set NO_PROXY to the server's host, so that it is reached directly."
    )


def test_where_the_host_comes_from() -> None:
    """A host that is named goes before OLLAMA_HOST, and both before the default."""
    environ = {"OLLAMA_HOST": "env:1"}
    assert Connection.resolve("named:2", {}, environ).url == "http://named:2"
    assert Connection.resolve(None, {}, environ).url == "http://env:1"
    assert Connection.resolve("", {}, {}).url == "http://127.0.0.1:11434"


def test_where_the_authorization_comes_from() -> None:
    """A header that is named goes before the address, which goes before OLLAMA_API_KEY; none of it is shown."""
    environ = {"OLLAMA_API_KEY": "key"}
    named = {"Authorization": "Bearer mine", "X-Team": "a"}
    assert Connection.resolve("x", {}, {}).headers == {}
    assert Connection.resolve("x", {}, environ).headers == {"authorization": "Bearer key"}
    assert Connection.resolve("http://u:p@x", {}, environ).headers == {"authorization": "Basic dTpw"}
    assert Connection.resolve("http://u:p@x", named, environ).headers == {
        "authorization": "Bearer mine",
        "x-team": "a",
    }
    assert "mine" not in repr(Connection.resolve("x", named, environ))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Content-Length", "5", "it is set for each request and cannot be chosen"),
        ("X Y", "5", "its name is not one of HTTP"),
        ("X", "a\r\nY: b", "its value holds characters that HTTP does not carry"),
        ("X", "é", "its value holds characters that HTTP does not carry"),
    ],
)
def test_a_header_that_cannot_be_sent(name: str, value: str, reason: str) -> None:
    """A header that would break the request is refused before anything is sent."""
    with pytest.raises(SettingError) as caught:
        Connection.resolve("x", {name: value}, {})
    assert str(caught.value) == (
        f"The header {name.lower()!r} cannot be sent: {reason}. Accepted: a name of letters, digits and '-', and a "
        "value of printable ASCII. Give it as --chimera-header NAME=VALUE."
    )


def test_the_clock_is_shared_on_loopback_without_a_proxy() -> None:
    """Behind a proxy, or off this machine, `created_at` is another clock's."""
    assert Connection.resolve("localhost", {}, {}).shares_clock
    assert not Connection.resolve("localhost", {}, PROXIES).shares_clock
    assert not Connection.resolve("10.0.0.1", {}, {}).shares_clock


def test_authorities_that_cannot_be_read() -> None:
    """A certificate file that does not exist is a setting to correct."""
    with pytest.raises(SettingError) as caught:
        Connection.resolve("https://x", {}, {"SSL_CERT_FILE": "/no/such.pem"}).ssl_context()
    assert str(caught.value) == (
        "SSL_CERT_FILE=/no/such.pem cannot be used: No such file or directory. Accepted: a file of certificates in PEM "
        "form (SSL_CERT_FILE), or a folder of them (SSL_CERT_DIR). Correct it, or unset it to use the usual "
        "authorities."
    )


def test_the_ollama_client_takes_the_same_way() -> None:
    """The `ollama` client has the same address, headers and proxy."""
    client = Client(Connection.resolve("http://a.example/base", {"X-Team": "a"}, PROXIES | {"OLLAMA_API_KEY": "key"}))
    with client.ollama()._client as inner:
        assert str(inner.base_url) == "http://a.example/base/"
        assert (inner.headers["x-team"], inner.headers["authorization"]) == ("a", "Bearer key")
        transport = inner._transport_for_url(httpx.URL("http://a.example"))
        assert transport._pool._proxy_url.host == b"plain"

"""Both clients behind a path prefix, a bearer check, TLS, proxies, and over IPv6."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.errors import HostAnswerError, HostUnreachableError
from pytest_chimera.records import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_chimera.records import Case

PS = b'{"models":[{"name":"m:latest","model":"m:latest","digest":"d","size":5,"size_vram":0,"context_length":512}]}'
VERSION = b'{"version":"0.32.15"}'


def ollama_behind(wire: Any, prefix: str = "", bearer: str | None = None) -> Callable[[socket.socket, bytes], None]:
    """A trick that answers as an Ollama behind a path prefix and a bearer check."""

    def trick(connection: socket.socket, request: bytes) -> None:
        head = request.partition(b"\r\n\r\n")[0].decode()
        path = re.sub("^https?://[^/]+", "", head.split(" ")[1])
        if bearer is not None and f"authorization: bearer {bearer}" not in head.lower():
            connection.sendall(wire.answered(b'{"error":"unauthorized"}', "401 Unauthorized"))
        elif path == f"{prefix}/api/chat":
            connection.sendall(wire.whole())
        elif path in {f"{prefix}/api/ps", f"{prefix}/api/version"}:
            connection.sendall(wire.answered(PS if path.endswith("ps") else VERSION))
        else:
            connection.sendall(wire.answered(b"404 page not found", "404 Not Found", "text/plain"))

    return trick


def check_both(client: Client, case: Case) -> None:
    """A measured request and a question through the `ollama` package both arrive."""
    seen = client.measure(case, nonce=None)
    assert (seen.failure, seen.text) == (None, "Blue")
    assert [each.name for each in client.loaded()] == ["m:latest"]
    assert client.host_info().version == "0.32.15"


def test_behind_a_path_prefix_and_a_bearer_check(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """Base path and token reach the server on both ways."""
    url = serve(ollama_behind(wire, "/team/ollama", "key")).url
    check_both(Client(Connection.resolve(f"{url}/team/ollama/", {}, {"OLLAMA_API_KEY": "key"})), case)
    check_both(Client(Connection.resolve(f"{url}/team/ollama", {"Authorization": "Bearer key"}, {})), case)


def test_without_the_token(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A missing token is a 401 of the server, on both ways."""
    url = serve(ollama_behind(wire, "", "key")).url
    client = Client(Connection.resolve(url, {}, {"OLLAMA_API_KEY": "other"}))
    assert client.measure(case, nonce=None).failure == Failure(
        kind="http", cause="unauthorized", message="unauthorized", status=401
    )
    for ask in (client.host_info, client.loaded):
        with pytest.raises(HostAnswerError, match="unauthorized"):
            ask()


def test_without_the_path_prefix(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A wrong path is told from a missing model."""
    client = Client(Connection.resolve(serve(ollama_behind(wire, "/x")).url, {}, {}))
    assert client.measure(case, nonce=None).failure == Failure(
        kind="http", cause="not_found", message="404 page not found", status=404
    )


@pytest.fixture
def tls_server(serve: Callable[..., Any], wire: Any, certificate: Path) -> Any:
    """An Ollama that speaks TLS."""
    stand = serve(ollama_behind(wire))
    stand.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stand.tls.load_cert_chain(certificate)
    return stand


def test_tls_with_an_authority_of_ones_own(tls_server: Any, certificate: Path, case: Case) -> None:
    """SSL_CERT_FILE names the authority for both ways."""
    check_both(Client(Connection.resolve(tls_server.url, {}, {"SSL_CERT_FILE": str(certificate)})), case)


def test_tls_with_an_unknown_authority(tls_server: Any, case: Case) -> None:
    """A certificate of an unknown authority is refused on both ways."""
    client = Client(Connection.resolve(tls_server.url, {}, {}))
    assert client.measure(case, nonce=None).failure == Failure(
        kind="connect", cause="tls", message="the certificate of 127.0.0.1 was refused: self-signed certificate"
    )
    for ask in (client.host_info, client.loaded):
        with pytest.raises(HostUnreachableError, match="self-signed certificate"):
            ask()


def test_tls_where_there_is_none(serve: Callable[..., Any], case: Case) -> None:
    """https to a server that speaks plain HTTP is named as a fault of TLS."""
    stand = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    stand.listens = False
    url = stand.url.replace("http:", "https:")
    failure = Client(Connection.resolve(url, {}, {})).measure(case, nonce=None).failure
    assert failure is not None
    assert (failure.kind, failure.cause) == ("connect", "tls")
    assert failure.message.startswith("no TLS with 127.0.0.1: ")


def test_silence_under_tls(serve: Callable[..., Any], certificate: Path, case: Case) -> None:
    """The time allowed ends a silent answer under TLS too."""
    stand = serve(lambda connection, _: stand.until_gone(connection))
    stand.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stand.tls.load_cert_chain(certificate)
    client = Client(Connection.resolve(stand.url, {}, {"SSL_CERT_FILE": str(certificate)}))
    assert client.measure(replace(case, idle_timeout_s=0.05), nonce=None).failure == Failure(
        kind="timeout", cause="idle", message="no byte came for 0.05 s"
    )


def tunnel(wire: Any, seen: list[str]) -> Callable[[socket.socket, bytes], None]:
    """A trick that is a proxy: it forwards plain requests and opens tunnels for others."""

    def trick(connection: socket.socket, request: bytes) -> None:
        head = request.partition(b"\r\n\r\n")[0].decode()
        seen.append(head.split("\r\n")[0].rsplit(" ", 1)[0])
        seen.extend(line for line in head.split("\r\n") if line.lower().startswith("proxy-authorization"))
        method, target = head.split(" ")[:2]
        host, port = (target if method == "CONNECT" else target.split("/")[2]).rsplit(":", 1)
        with socket.create_connection((host, int(port))) as onward:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                onward.sendall(request)
            back = threading.Thread(target=pump, args=(onward, connection))
            back.start()
            pump(connection, onward)
            back.join()

    return trick


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes until their end, and pass the end on."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_a_plain_request_through_a_proxy(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """HTTP_PROXY is asked for the whole URL, with the credentials that stand in its own, on both ways."""
    seen: list[str] = []
    server, proxy = serve(ollama_behind(wire)), serve(tunnel(wire, seen))
    environ = {"HTTP_PROXY": proxy.url.replace("//", "//me:word@")}
    check_both(Client(Connection.resolve(server.url, {}, environ)), case)
    allowed = "Proxy-Authorization: Basic bWU6d29yZA=="
    assert [line.replace("proxy-authorization", "Proxy-Authorization") for line in seen] == [
        f"POST {server.url}/api/chat",
        allowed,
        f"GET {server.url}/api/ps",
        allowed,
        f"GET {server.url}/api/version",
        allowed,
    ]


def test_tls_through_a_proxy(
    serve: Callable[..., Any], tls_server: Any, wire: Any, certificate: Path, case: Case
) -> None:
    """HTTPS_PROXY opens a tunnel, inside which TLS is with the server, on both ways."""
    seen: list[str] = []
    environ = {"https_proxy": serve(tunnel(wire, seen)).url, "SSL_CERT_FILE": str(certificate)}
    check_both(Client(Connection.resolve(tls_server.url, {}, environ)), case)
    assert seen == [f"CONNECT 127.0.0.1:{tls_server.port}"] * 3


def test_a_proxy_that_refuses(serve: Callable[..., Any], wire: Any, tls_server: Any, case: Case) -> None:
    """A proxy that opens no tunnel is named, and not taken for the server."""
    proxy = serve(wire.answered(b"", "407 Proxy Authentication Required"))
    client = Client(Connection.resolve(tls_server.url, {}, {"HTTPS_PROXY": proxy.url}))
    assert client.measure(case, nonce=None).failure == Failure(
        kind="connect",
        cause="proxy",
        message=f"the proxy 127.0.0.1:{proxy.port} made no way to 127.0.0.1:{tls_server.port}: it said "
        "407 Proxy Authentication Required",
    )


def test_a_proxy_that_is_not_there(serve: Callable[..., Any], case: Case) -> None:
    """A refused connection to a proxy says that it was the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = Client(Connection.resolve("http://a.example", {}, {"HTTP_PROXY": f"127.0.0.1:{port}"}))
    assert client.measure(case, nonce=None).failure == Failure(
        kind="connect",
        cause="refused",
        message=f"nothing listens at the proxy 127.0.0.1:{port} (connection refused)",
    )


def test_tls_through_a_proxy_that_speaks_tls(case: Case) -> None:
    """TLS within TLS is refused before anything is connected to."""
    client = Client(Connection.resolve("https://a.example", {}, {"HTTPS_PROXY": "https://far:3128"}))
    assert client.measure(case, nonce=None).failure == Failure(
        kind="connect",
        cause="proxy",
        message="the proxy far:3128 speaks TLS, through which TLS cannot be measured",
    )


def test_over_ipv6(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """An IPv6 address works on both ways."""
    try:
        stand = serve(ollama_behind(wire), host="::1")
    except OSError as error:
        pytest.skip(f"needs IPv6 on loopback: {error}")
    check_both(Client(Connection.resolve(stand.url, {}, {})), case)
    assert b"host: [::1]:" in stand.requests[0].lower()


def test_a_redirect_is_named(serve: Callable[..., Any], case: Case) -> None:
    """A redirect is not followed while measuring, because it would be measured too; it is said where it leads."""
    url = serve(b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://b/\r\nContent-Length: 0\r\n\r\n").url
    assert Client(Connection.resolve(url, {}, {})).measure(case, nonce=None).failure == Failure(
        kind="http", cause="redirect", message="308 Permanent Redirect: redirected to https://b/", status=308
    )


def test_what_is_sent_is_json(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """The body is UTF-8 JSON of exactly the announced length."""
    stand = serve(wire.whole())
    Client(Connection.resolve(stand.url, {}, {})).measure(case, nonce=None)
    head, _, body = stand.requests[0].partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["options"] == {"num_ctx": 512}

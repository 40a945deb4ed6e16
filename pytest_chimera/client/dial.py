"""Open a socket to a server: directly, through a proxy, with or without TLS; nothing is sent to the server itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pytest_chimera.records import Failure
from pytest_chimera.wire.http import Read, read_http

if TYPE_CHECKING:
    from pytest_chimera.client.connection import Connection
    from pytest_chimera.client.proxies import Proxy
    from pytest_chimera.records import FailureCause

_OK = 200
_READ_BYTES = 1 << 16


class DialError(Exception):
    """No socket came of it; `failure` says why."""

    def __init__(self, cause: FailureCause, message: str) -> None:
        super().__init__(cause, message)
        self.failure = Failure(kind="connect", cause=cause, message=message)


def dial(connection: Connection, timeout_s: float) -> socket.socket:
    """A connected socket over which the request can be sent at once.

    Raises DialError.
    """
    address, proxy = connection.address, connection.proxy
    if proxy is not None and proxy.scheme == address.scheme == "https":
        raise DialError("proxy", f"the proxy {proxy.netloc} speaks TLS, through which TLS cannot be measured")
    first = (address.host, address.port) if proxy is None else (proxy.host, proxy.port)
    sock = _connect(first, timeout_s, through=proxy)
    try:
        if proxy is not None and proxy.scheme == "https":
            sock = _secured(connection, sock, proxy.host)
        if address.scheme == "https":
            if proxy is not None:
                _tunnel(sock, proxy, f"{_bracketed(address.host)}:{address.port}")
            sock = _secured(connection, sock, address.host)
    except BaseException:
        sock.close()
        raise
    return sock


def _connect(where: tuple[str, int], timeout_s: float, through: Proxy | None) -> socket.socket:
    named = f"{_bracketed(where[0])}:{where[1]}"
    place = named if through is None else f"the proxy {named}"
    try:
        sock = socket.create_connection(where, timeout=timeout_s)
    except (socket.gaierror, UnicodeError):  # the latter for names that cannot even be asked for
        raise DialError("name", f"the name {where[0]!r} could not be resolved") from None
    except TimeoutError:
        raise DialError("connect_timeout", f"no connection to {place} within {timeout_s:g} s") from None
    except ConnectionRefusedError:
        raise DialError("refused", f"nothing listens at {place} (connection refused)") from None
    except OSError as error:
        raise DialError("unreachable", f"{place} cannot be reached ({error.strerror or error})") from None
    # A request goes out at once and not when the acknowledgement of something before it has come.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _secured(connection: Connection, sock: socket.socket, host: str) -> socket.socket:
    import ssl  # noqa: PLC0415  # not needed for the usual server on loopback

    try:
        return connection.ssl_context().wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise DialError("tls", f"the certificate of {host} was refused: {error.verify_message}") from None
    except TimeoutError:
        raise DialError("connect_timeout", f"no TLS handshake with {host} in the time allowed") from None
    except OSError as error:
        raise DialError("tls", f"no TLS with {host}: {error.strerror or error}") from None


def _tunnel(sock: socket.socket, proxy: Proxy, target: str) -> None:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    reads: list[Read] = []
    try:
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        # HEAD, because what follows the head of this answer is already the server's.
        while not (answer := read_http(reads, closed=False, head_only=True)).complete and answer.problem is None:
            data = sock.recv(_READ_BYTES)
            if not data:
                break
            reads.append(Read(0, data))
    except OSError as error:
        raise DialError("proxy", f"the proxy {proxy.netloc} failed ({error.strerror or error})") from None
    if answer.status != _OK:
        said = f"{answer.status} {answer.reason}" if answer.status else answer.problem or "nothing"
        raise DialError("proxy", f"the proxy {proxy.netloc} made no way to {target}: it said {said}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

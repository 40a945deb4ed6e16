"""Addresses of a server in all the forms that Ollama takes in OLLAMA_HOST; no name is resolved here."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, field
from typing import Literal, TypeGuard
from urllib.parse import unquote

from pytest_chimera.errors import SettingError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 11434
_PORT_OF = {"http": 80, "https": 443}
_LARGEST_PORT = 65535
_CLOUD = "ollama.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is."""

    scheme: Literal["http", "https"] = "http"
    host: str = DEFAULT_HOST
    """Without brackets."""
    port: int = DEFAULT_PORT
    base_path: str = ""
    """Before every route, with its leading and without a trailing slash."""
    authorization: str | None = field(default=None, repr=False)
    """From a user name and password in the address."""

    @property
    def netloc(self) -> str:
        """`host:port`, with brackets around IPv6 and without the scheme's own port: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORT_OF[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Without credentials and without a trailing slash."""
        return f"{self.scheme}://{self.netloc}{self.base_path}"

    @property
    def is_loopback(self) -> bool:
        """Whether it names this machine in a way that never leaves it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str | None) -> Address:
    """Read "", "host", ":11434", "0.0.0.0", "::1", "[::1]:80", "http://user:word@host:port/path" and so on.

    As in Ollama a missing scheme means http and port 11434, a scheme its own port, and an address to listen at
    (0.0.0.0, ::) the loopback one. Raises SettingError.
    """
    given = (text or "").strip().strip("\"'").strip()
    scheme, separator, rest = given.partition("://")
    if not separator:
        scheme, rest = ("https", f"{_CLOUD}:443") if given == _CLOUD else ("http", given)
    scheme = scheme.lower()
    if not _is_scheme(scheme):
        raise _refused(given, f"the scheme {scheme!r} is unknown")
    rest = rest.partition("#")[0].partition("?")[0]
    hostport, _, path = rest.partition("/")
    credentials, at, hostport = hostport.rpartition("@")
    host, port = _host_and_port(given, hostport)
    if separator and not host:
        raise _refused(given, "it names no host")
    path = "/".join(part for part in path.split("/") if part)
    return Address(
        scheme=scheme,
        host=_connectable(host or DEFAULT_HOST),
        port=port if port is not None else _PORT_OF[scheme] if separator else DEFAULT_PORT,
        base_path=f"/{path}" if path else "",
        authorization=basic_authorization(credentials) if at else None,
    )


def basic_authorization(credentials: str) -> str:
    """The header value for "user:password" as it stands in an address."""
    return "Basic " + base64.b64encode(unquote(credentials).encode()).decode()


def _is_scheme(text: str) -> TypeGuard[Literal["http", "https"]]:
    return text in _PORT_OF


def _host_and_port(given: str, hostport: str) -> tuple[str, int | None]:
    if hostport.startswith("["):
        host, bracket, after = hostport[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise _refused(given, "its brackets do not match")
        return host, _port(given, after[1:])
    if hostport.count(":") > 1:  # an IPv6 address without brackets, and so without a port
        try:
            return str(ipaddress.IPv6Address(hostport)), None
        except ValueError:
            raise _refused(given, "it has too many colons") from None
    host, _, port = hostport.partition(":")
    if any(character.isspace() or ord(character) < ord(" ") for character in host):
        raise _refused(given, "there is a blank in its host")
    return host, _port(given, port)


def _port(given: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_PORT:
        raise _refused(given, f"{text!r} is not a port")
    return int(text)


def _connectable(host: str) -> str:
    """Where to connect for an address that is meant for listening."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004  # IPv4
    return str(address)


def _refused(given: str, reason: str) -> SettingError:
    secret = given.rpartition("@")
    shown = given if not secret[1] else f"...@{secret[2]}"
    return SettingError(
        f"{shown!r} is not the address of a server: {reason}.",
        "Accepted: HOST, HOST:PORT, :PORT, or http(s)://HOST:PORT/PATH.",
        "Set it with --chimera-host or OLLAMA_HOST, as in 'http://127.0.0.1:11434'.",
    )

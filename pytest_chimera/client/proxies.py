"""Which proxy stands before a server, by the environment and by the rules that httpx follows, so that both clients
take the same way.

Only names are compared; nothing is resolved and nothing is connected to.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_chimera.client.address import Address, basic_authorization
from pytest_chimera.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORT_OF = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy."""

    scheme: str
    """How the proxy itself is spoken to: http or https."""
    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    url: str = field(repr=False)
    """As given, with any credentials."""

    @property
    def netloc(self) -> str:
        """`host:port`, without credentials."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def proxy_for(address: Address, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to `address`, or None for the direct way.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in lower case first. Raises SettingError for a proxy that is not
    one of HTTP.
    """
    settings = _settings(environ)
    if _is_exempt(address, settings.get("no", "")):
        return None
    for scheme in (address.scheme, "all"):
        if settings.get(scheme):
            return _parse(settings[scheme], f"{scheme.upper()}_PROXY")
    return None


def _settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What comes before `_proxy` in the name of a variable -> its value; an empty lower-case one takes others back."""
    pairs = [(name, value) for name, value in environ.items() if name.lower().endswith("_proxy")]
    found = {name.lower()[: -len("_proxy")]: value for name, value in pairs if value}
    if "REQUEST_METHOD" in environ:  # within CGI, HTTP_PROXY is a header that a stranger sent
        found.pop("http", None)
    for name, value in pairs:
        if name.islower():
            if value:
                found[name[: -len("_proxy")]] = value
            else:
                found.pop(name[: -len("_proxy")], None)
    return found


def _is_exempt(address: Address, no_proxy: str) -> bool:
    return any(_exempts(entry.strip(), address) for entry in no_proxy.split(","))


def _exempts(entry: str, address: Address) -> bool:
    """One entry of NO_PROXY: *, name (and all below it), .name (only below it), address, localhost, with or without
    a port, or scheme://host."""
    if not entry:
        return False
    if entry == "*":
        return True
    host = address.host.lower()
    scheme, separator, pattern = entry.lower().partition("://")
    if not separator:
        scheme, pattern = "all", scheme
    pattern, port = _without_port(pattern.partition("/")[0])
    if scheme not in {"all", address.scheme} or port not in {None, address.port}:
        return False
    if separator or pattern == "localhost" or _is_ip(pattern):
        return host == pattern
    if pattern.startswith("."):
        return host.endswith(pattern)
    return host == pattern or host.endswith("." + pattern)


def _without_port(pattern: str) -> tuple[str, int | None]:
    if pattern.startswith("["):
        pattern, _, port = pattern[1:].partition("]")
        return pattern, int(port[1:]) if port[1:].isdigit() else None
    if pattern.count(":") != 1:
        return pattern, None
    pattern, _, port = pattern.partition(":")
    return pattern, int(port) if port.isdigit() else None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _parse(text: str, variable: str) -> Proxy:
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    credentials, at, hostport = rest.partition("/")[0].rpartition("@")
    host, port = _without_port(hostport)
    if scheme.lower() not in _PORT_OF or not host:
        raise SettingError(
            f"{variable} names the proxy '{scheme}://{hostport}', which cannot be used for measuring.",
            "Accepted: http://HOST:PORT or https://HOST:PORT.",
            "Set NO_PROXY to the server's host, so that it is reached directly.",
        )
    return Proxy(
        scheme=scheme.lower(),
        host=host,
        port=port if port is not None else _PORT_OF[scheme.lower()],
        authorization=basic_authorization(credentials) if at else None,
        url=text if separator else f"http://{text}",
    )

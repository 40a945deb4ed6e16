"""How a server is reached: address, headers, TLS and proxy, resolved once and shared by both clients."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_chimera.client.address import Address, parse_address
from pytest_chimera.client.proxies import Proxy, proxy_for
from pytest_chimera.errors import SettingError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = {"content-length", "transfer-encoding", "connection", "accept-encoding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The way to one server."""

    address: Address
    headers: Mapping[str, str] = field(repr=False)
    """Sent with every request, names in lower case; may hold secrets."""
    proxy: Proxy | None = None
    ca_file: str | None = None
    """From SSL_CERT_FILE; goes before `ca_dir`, and both before the authorities that httpx brings."""
    ca_dir: str | None = None
    """From SSL_CERT_DIR."""

    @classmethod
    def resolve(cls, host: str | None, headers: Mapping[str, str], environ: Mapping[str, str]) -> Connection:
        """The way to `host`, else to OLLAMA_HOST, else to http://127.0.0.1:11434.

        A bearer token comes from OLLAMA_API_KEY unless `headers` has an authorization. Raises SettingError.
        """
        address = parse_address(host or environ.get("OLLAMA_HOST"))
        merged: dict[str, str] = {}
        if address.authorization is not None:
            merged["authorization"] = address.authorization
        elif environ.get("OLLAMA_API_KEY"):
            merged["authorization"] = f"Bearer {environ['OLLAMA_API_KEY']}"
        merged.update({name.lower(): value.strip() for name, value in headers.items()})
        for name, value in merged.items():
            _check_header(name, value)
        return cls(
            address=address,
            headers=merged,
            proxy=proxy_for(address, environ),
            ca_file=environ.get("SSL_CERT_FILE") or None,
            ca_dir=environ.get("SSL_CERT_DIR") or None,
        )

    @property
    def url(self) -> str:
        """For people and for the `ollama` client: without credentials."""
        return self.address.url

    @property
    def shares_clock(self) -> bool:
        """Whether the server runs on this machine, so that its `created_at` and our clock can be compared."""
        return self.address.is_loopback and self.proxy is None

    def ssl_context(self) -> ssl.SSLContext:
        """The authorities that servers are checked against, as httpx would choose them.

        Raises SettingError when the file or folder that the environment names cannot be used.
        """
        try:
            return _ssl_context(self.ca_file, None if self.ca_file else self.ca_dir)
        except OSError as error:
            named = "SSL_CERT_FILE" if self.ca_file is not None else "SSL_CERT_DIR"
            raise SettingError(
                f"{named}={self.ca_file or self.ca_dir} cannot be used: {error.strerror or error}.",
                "Accepted: a file of certificates in PEM form (SSL_CERT_FILE), or a folder of them (SSL_CERT_DIR).",
                "Correct it, or unset it to use the usual authorities.",
            ) from None


@lru_cache(maxsize=4)  # reading the authorities takes 20 ms, which is no part of a round
def _ssl_context(ca_file: str | None, ca_dir: str | None) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415  # not needed for the usual server on loopback

    if ca_file is None and ca_dir is None:
        import certifi  # noqa: PLC0415  # comes with httpx, which comes with ollama

        ca_file = certifi.where()
    return ssl.create_default_context(cafile=ca_file, capath=ca_dir)


def _check_header(name: str, value: str) -> None:
    if name in _OURS:
        reason = "it is set for each request and cannot be chosen"
    elif _TOKEN.fullmatch(name) is None:
        reason = "its name is not one of HTTP"
    elif not value.isprintable() or not value.isascii():
        reason = "its value holds characters that HTTP does not carry"
    else:
        return
    raise SettingError(
        f"The header {name!r} cannot be sent: {reason}.",
        "Accepted: a name of letters, digits and '-', and a value of printable ASCII.",
        "Give it as --chimera-header NAME=VALUE.",
    )

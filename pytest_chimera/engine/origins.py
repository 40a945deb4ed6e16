"""Whether a browser's page may speak to this server, by Ollama's rules: loopback pages yes, foreign ones no.

Without this any web page that a person opens could use the models on their machine.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104  # compared with, not bound to
_APP_SCHEMES = frozenset({"app", "file", "tauri", "vscode-webview", "vscode-file"})
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


def is_allowed(origin: str, host: str) -> bool:
    """Whether a request with these headers ("" when absent) is answered at all."""
    return _origin_is_local(origin, host) and _host_is_local(host)


def _origin_is_local(origin: str, host: str) -> bool:
    if not origin:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in _APP_SCHEMES or parts.hostname in _LOCAL_NAMES or parts.netloc == host


def _host_is_local(host: str) -> bool:
    """Against names of others that resolve to loopback (DNS rebinding): addresses and local names only."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name or name in _LOCAL_NAMES or name.endswith(_LOCAL_SUFFIXES):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True

"""pytest-benchmark's storage as a folder: a folder as it is, of Elasticsearch a copy made by pytest-benchmark itself.

With `record` the only importer of pytest-benchmark; of it the function `load_storage` and the method `load` are used.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.sources import FILE_SCHEME

if TYPE_CHECKING:
    from pathlib import Path


_HOST = re.compile(r"[\w.-]*(?:\[[0-9a-fA-F:]+\])?(?::\d+)?")


def storage_folder(uri: str, here: Path, copy: Path) -> Path:
    """The folder of the storage `uri`, relative ones counted from `here`; one that is no folder is copied to `copy`.

    Raises BaselineError where it cannot be read.
    """
    if "://" not in uri or uri.startswith(FILE_SCHEME):
        return here / uri.removeprefix(FILE_SCHEME)
    try:
        runs = list(_load(uri))
    except ImportError as error:
        raise BaselineError(f"The storage {_masked(uri)} cannot be read: {error}.") from None
    except Exception as error:  # noqa: BLE001  # a client of another project: what it raises is its own affair
        raise BaselineError(
            f"The storage {_masked(uri)} cannot be read: {type(error).__name__}: {error}.",
            "Accepted: file://FOLDER, and elasticsearch+http(s)://... where pytest-benchmark reads it.",
            "Try it with pytest-benchmark itself: pytest-benchmark --storage URI list",
        ) from None
    copy.mkdir(parents=True, exist_ok=True)
    for name, data in runs:
        file = copy / f"{re.sub(r'[^A-Za-z0-9.:+-]+', '_', name)[:200]}.json"
        file.write_text(json.dumps(data), encoding="utf-8")
    return copy


def _load(uri: str) -> Any:
    from pytest_benchmark import utils  # noqa: PLC0415  # only for a storage that is no folder

    foreign: Any = utils  # it ships no types
    return foreign.load_storage(uri, logger=None, default_machine_id=None, netrc="").load()


def _masked(uri: str) -> str:
    """The address without credentials."""
    scheme, slashes, rest = uri.partition("//")
    hosts, slash, path = rest.partition("/")
    names = [each.rpartition("@")[2] for each in hosts.split(",")]
    if not all(map(_HOST.fullmatch, names)):  # a comma or slash within a password
        return repr(f"{scheme}{slashes}***")
    return repr(f"{scheme}{slashes}{','.join(names)}{slash}{path}")

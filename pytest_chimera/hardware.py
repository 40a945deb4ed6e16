"""The machine that measures: processor, memory, operating system and graphics processors, as constant facts.

Nothing here changes while a machine runs (no free memory, no temperature), because saved runs are compared by it.
It speaks of the machine that pytest runs on, which is the model's machine only where client and server share one.
What cannot be read is left out.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import warnings
from pathlib import Path
from typing import Any

Hardware = dict[str, str | int]
"""`cpu`, `cpu_count` (logical), `memory_bytes`, `architecture`, `os`, and of each GPU `gpu`, `gpu_driver`,
`gpu_memory_bytes`, for the second one `gpu_2`, `gpu_2_driver`, `gpu_2_memory_bytes`, and so on."""

_CPU_NAME = re.compile(r"^(?:model name|Model|cpu model|Hardware)\s*:\s*(.+?)\s*$", re.MULTILINE)
_MEMORY = re.compile(r"^MemTotal:\s*(\d+) kB$", re.MULTILINE)
_GPU_MODEL = re.compile(r"^Model:\s*(.+?)\s*$", re.MULTILINE)
_GPU_DRIVER = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)")
_AMD_VENDOR = "0x1002"


def read_hardware(root: Path = Path("/"), nvml: Any = None) -> Hardware:
    """What is known of this machine.

    `root` is where `/proc` and `/sys` are looked for, `nvml` stands for the module pynvml; both are for tests.
    """
    cpu_text = _text(root / "proc/cpuinfo")
    known: dict[str, str | int | None] = {
        "cpu": _first(_CPU_NAME, cpu_text) or platform.processor() or None,
        "cpu_count": os.cpu_count(),
        "memory_bytes": _memory_bytes(root),
        "architecture": platform.machine() or None,
        "os": _operating_system(root),
    }
    for number, gpu in enumerate(_gpus(root, nvml), 1):
        prefix = "gpu" if number == 1 else f"gpu_{number}"
        known |= {f"{prefix}_{key}".removesuffix("_name"): value for key, value in gpu.items()}
    return {name: value for name, value in known.items() if value}


def _text(path: Path) -> str:
    """The content of a file of the kernel; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _memory_bytes(root: Path) -> int | None:
    """Physical memory of the machine; in a container, of its host."""
    kibibytes = _first(_MEMORY, _text(root / "proc/meminfo"))
    if kibibytes is not None:
        return int(kibibytes) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _operating_system(root: Path) -> str:
    """Name of the distribution where there is one, and the kernel: "Debian GNU/Linux 12 (bookworm), Linux 6.1.0"."""
    kernel = f"{platform.system()} {platform.release()}".strip()
    named = re.search(r'^PRETTY_NAME="?([^"\n]+)"?$', _text(root / "etc/os-release"), re.MULTILINE)
    return f"{named[1]}, {kernel}" if named else kernel


def _gpus(root: Path, nvml: Any) -> list[dict[str, str | int]]:
    """Every graphics processor that can be read, the richest source first."""
    return _gpus_by_nvml(nvml or _pynvml()) or _gpus_by_nvidia_proc(root) or _gpus_by_amd_sysfs(root)


def _pynvml() -> Any:
    """The module of nvidia-ml-py where it is installed, else None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an older package of the same name announces its retirement on import
        try:
            return importlib.import_module("pynvml")
        except ImportError:
            return None


def _gpus_by_nvml(nvml: Any) -> list[dict[str, str | int]]:
    if nvml is None:
        return []
    try:
        nvml.nvmlInit()
    except Exception:  # noqa: BLE001  # NVMLError, which only the module itself can name: no driver, no rights
        return []
    try:
        driver = _word(nvml.nvmlSystemGetDriverVersion())
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        return [_gpu(_word(nvml.nvmlDeviceGetName(each)), driver, _vram_bytes(nvml, each)) for each in handles]
    except Exception:  # noqa: BLE001  # same: what it cannot say is left out
        return []
    finally:
        nvml.nvmlShutdown()


def _vram_bytes(nvml: Any, handle: Any) -> int | None:
    try:
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    except Exception:  # noqa: BLE001  # NVMLError: machines whose GPU shares the memory of the CPU do not say
        return None


def _word(value: str | bytes) -> str:
    """Older versions of nvidia-ml-py return bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _gpu(name: str | None, driver: str | None, memory_bytes: int | None) -> dict[str, str | int]:
    known: dict[str, str | int | None] = {"name": name, "driver": driver, "memory_bytes": memory_bytes}
    return {key: value for key, value in known.items() if value}


def _gpus_by_nvidia_proc(root: Path) -> list[dict[str, str | int]]:
    """What NVIDIA's kernel module shows without a library: names and driver, no memory."""
    folder = root / "proc/driver/nvidia"
    driver = _first(_GPU_DRIVER, _text(folder / "version"))
    cards = sorted(folder.glob("gpus/*/information"))
    return [_gpu(_first(_GPU_MODEL, _text(card)), driver, None) for card in cards]


def _gpus_by_amd_sysfs(root: Path) -> list[dict[str, str | int]]:
    """What AMD's kernel module shows: the name where the card has one, and the memory."""
    cards = [
        card
        for card in sorted(root.glob("sys/class/drm/card*/device"))
        if "-" not in card.parent.name and _text(card / "vendor").strip() == _AMD_VENDOR
    ]
    return [_amd_gpu(card) for card in cards]


def _amd_gpu(card: Path) -> dict[str, str | int]:
    memory = _text(card / "mem_info_vram_total").strip()
    name = _text(card / "product_name").strip() or f"AMD {_text(card / 'device').strip()}".strip()
    return _gpu(name, "amdgpu", int(memory) if memory.isdigit() else None)

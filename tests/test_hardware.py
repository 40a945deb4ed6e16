"""Hardware: what is read of a machine, from trees of files as Linux shows them and from a stand-in for pynvml."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.hardware import Hardware, read_hardware

if TYPE_CHECKING:
    from pathlib import Path

CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu vme
"""


def lay(root: Path, files: dict[str, str]) -> Path:
    """A tree of files under `root`."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def gpus(hardware: Hardware) -> Hardware:
    """What is known of graphics processors."""
    return {name: value for name, value in hardware.items() if name.startswith("gpu")}


class Nvml:
    """The few functions of pynvml that are used, on a machine with one GPU."""

    def __init__(self, *, broken: str = "", word: type = str) -> None:
        """`broken` names the function that fails; `word` is what names come as."""
        self.broken = broken
        self.word = word
        self.shutdowns = 0

    def __getattr__(self, name: str) -> Any:
        """Any function of pynvml."""
        if name == self.broken:
            return self._fail
        answers: dict[str, Any] = {
            "nvmlInit": None,
            "nvmlSystemGetDriverVersion": self._text("550.54.15"),
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": 0,
            "nvmlDeviceGetName": self._text("NVIDIA H100 80GB HBM3"),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=85_520_809_984),
        }
        return lambda *_: answers[name]

    def nvmlShutdown(self) -> None:  # noqa: N802  # its name there
        """Count it."""
        self.shutdowns += 1

    def _text(self, text: str) -> str | bytes:
        return text.encode() if self.word is bytes else text

    @staticmethod
    def _fail(*_: object) -> None:
        raise RuntimeError("NVML: not supported")


def test_a_linux_machine_is_read_from_its_files(tmp_path: Path) -> None:
    """Processor, memory and system come from the kernel's files, and nothing is claimed about a GPU that is absent."""
    root = lay(
        tmp_path,
        {
            "proc/cpuinfo": CPUINFO,
            "proc/meminfo": "MemTotal:       131072000 kB\nMemFree:        1 kB\n",
            "etc/os-release": 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
        },
    )
    found = read_hardware(root, Nvml(broken="nvmlInit"))
    assert {key: found[key] for key in ("cpu", "memory_bytes")} == {
        "cpu": "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
        "memory_bytes": 134_217_728_000,
    }
    assert str(found["os"]).startswith("Debian GNU/Linux 12 (bookworm), ")
    assert gpus(found) == {}


@pytest.mark.parametrize("word", [str, bytes])
def test_nvml_names_gpu_driver_and_memory(tmp_path: Path, word: type) -> None:
    """With nvidia-ml-py each GPU has name, driver and memory, and the library is left as it was found."""
    nvml = Nvml(word=word)
    assert gpus(read_hardware(tmp_path, nvml)) == {
        "gpu": "NVIDIA H100 80GB HBM3",
        "gpu_driver": "550.54.15",
        "gpu_memory_bytes": 85_520_809_984,
    }
    assert nvml.shutdowns == 1


def test_a_gpu_that_shares_memory_has_no_memory_of_its_own(tmp_path: Path) -> None:
    """Where the driver does not say how much memory a GPU has, the rest is still told."""
    nvml = Nvml(broken="nvmlDeviceGetMemoryInfo")
    assert gpus(read_hardware(tmp_path, nvml)) == {"gpu": "NVIDIA H100 80GB HBM3", "gpu_driver": "550.54.15"}


def test_a_library_that_fails_half_way_is_closed(tmp_path: Path) -> None:
    """An error after the start leaves no GPU claimed and the library shut down."""
    nvml = Nvml(broken="nvmlDeviceGetCount")
    assert gpus(read_hardware(tmp_path, nvml)) == {}
    assert nvml.shutdowns == 1


def test_without_the_library_the_kernel_module_names_the_gpu(tmp_path: Path) -> None:
    """NVIDIA's files give names and driver, for the closed and the open kernel module alike."""
    for number, module in enumerate(["NVIDIA UNIX x86_64 Kernel Module", "NVIDIA UNIX Open Kernel Module for x86_64"]):
        root = lay(
            tmp_path / str(number),
            {
                "proc/driver/nvidia/version": f"NVRM version: {module}  535.183.01  Sun May 12\nGCC version: 12.2.0\n",
                "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ: 1\n",
                "proc/driver/nvidia/gpus/0000:02:00.0/information": "Model: \t\t NVIDIA L4\nIRQ: 2\n",
            },
        )
        assert gpus(read_hardware(root, Nvml(broken="nvmlInit"))) == {
            "gpu": "NVIDIA GeForce RTX 4090",
            "gpu_driver": "535.183.01",
            "gpu_2": "NVIDIA L4",
            "gpu_2_driver": "535.183.01",
        }


def test_an_amd_gpu_is_read_from_sysfs(tmp_path: Path) -> None:
    """AMD's cards have a memory size and a name or at least a number; connectors and other vendors are left out."""
    root = lay(
        tmp_path,
        {
            "sys/class/drm/card0/device/vendor": "0x1002\n",
            "sys/class/drm/card0/device/device": "0x744c\n",
            "sys/class/drm/card0/device/mem_info_vram_total": "25753026560\n",
            "sys/class/drm/card0-DP-1/device/vendor": "0x1002\n",
            "sys/class/drm/card1/device/vendor": "0x8086\n",
        },
    )
    assert gpus(read_hardware(root, Nvml(broken="nvmlInit"))) == {
        "gpu": "AMD 0x744c",
        "gpu_driver": "amdgpu",
        "gpu_memory_bytes": 25_753_026_560,
    }


def test_this_machine_is_read_twice_alike_and_as_json() -> None:
    """Reading twice gives the same, with nothing in it that JSON changes, so that saved runs compare as equal."""
    first = read_hardware()
    assert first == read_hardware() == json.loads(json.dumps(first))
    assert {"cpu_count", "memory_bytes", "os"} <= set(first)


def test_a_bare_root_claims_nothing(tmp_path: Path) -> None:
    """Where there are no files of a kernel, what cannot be known is absent and never 0 or empty."""
    found = read_hardware(tmp_path, Nvml(broken="nvmlInit"))
    assert set(found) <= {"cpu", "cpu_count", "memory_bytes", "architecture", "os"}
    assert all(found.values())

"""The child process that holds one loaded model: llama.cpp behind its own HTTP server, on loopback, with a key.

The only importer of xllamacpp. It is started as `python -m pytest_chimera.engine.runner`, reads its parameters as one
JSON line from standard input, prints one JSON line (its address, or why it could not load) and stays until standard
input ends: so it cannot outlive the process that started it. What is asked of it, when, and by whom is not its matter.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

PARAMETERS = (
    "model.path",
    "n_ctx",
    "n_parallel",
    "n_batch",
    "n_ubatch",
    "n_keep",
    "n_gpu_layers",
    "cpuparams.n_threads",
    "cpuparams_batch.n_threads",
    "port",
    "ui",
    "api_keys",
    "verbosity",
    "warmup",
    "fit_params",
    "ctx_shift",
    "cache_ram_mib",
    "use_jinja",
    "chat_template",
)
"""Every name of `xllamacpp.CommonParams` that is set here; they move between its releases, so a test asks for each."""


def common_params(request: dict[str, Any]) -> Any:
    """llama.cpp's parameters for the request that came on standard input.

    Both thread counts are set, because the batch one also serves decoding as soon as two slots are busy. `fit_params`
    would double the load time, a RAM cache of prompts would copy an old slot aside before the next request is answered,
    and port 0 with a key keeps strangers and port collisions away.
    """
    import xllamacpp  # noqa: PLC0415  # 40-60 ms, and only a child pays them

    params = xllamacpp.CommonParams()
    params.model.path = request["path"]
    params.n_ctx = request["n_ctx"] * request["n_parallel"]
    params.n_parallel = request["n_parallel"]
    params.n_batch = params.n_ubatch = request["n_batch"]
    params.n_keep = request.get("n_keep", 0)
    if request.get("n_gpu_layers") is not None:
        params.n_gpu_layers = request["n_gpu_layers"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = request["n_threads"]
    params.port = 0
    params.ui = False
    params.api_keys = [request["api_key"]]
    params.verbosity = -1
    params.warmup = False
    params.fit_params = False
    params.ctx_shift = True
    params.cache_ram_mib = 0
    params.use_jinja = True
    params.chat_template = request["chat_template"]
    return params


def _load(request: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    import xllamacpp  # noqa: PLC0415  # see common_params

    try:
        server = xllamacpp.Server(common_params(request))
    except RuntimeError as error:
        # llama.cpp gives no reason here: a file that is no model and too little memory look the same.
        return None, {"error": f"unable to load model: {request['path']} ({error})"}
    return server, {"address": server.listening_address}


def main() -> int:
    """Load what standard input asks for, say where it listens, and leave when standard input ends."""
    # Ctrl-C goes to the whole process group; when this process ends is for the one that started it to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.dup(1)
    # llama.cpp may print at any verbosity; nothing but our own line may reach the pipe.
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    server, answer = _load(request)
    os.write(answers, json.dumps(answer).encode() + b"\n")
    os.close(answers)
    if server is None:
        return 1
    while sys.stdin.readline():
        pass
    # The kernel takes the memory back faster than llama.cpp's destructors do, and nothing here needs saving.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())

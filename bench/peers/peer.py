"""A gateway that is measured beside the sidecar: where it is installed, how it is started, what it is asked.

Every peer gets the same chat completion, the OpenAI form of `bench.figures.UNARY`: 1 KiB of prompt in, 2 KiB
of text out. Its modules decide its version and its settings.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.peers.http_load import HttpQuestion, post
from bench.processes import ROOT, Server

FOLDER = ROOT / "build" / "peers"
"""Holds one folder for each installed peer."""
MODEL = "gemini-2.5-flash"
"""A model that the peers know: an unknown one costs LiteLLM a failed look-up of its price in every call."""
_PROMPT = "y" * 1024
_TEXT_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Peer:
    """A gateway with a chat completions endpoint."""

    name: str
    version: str
    install: Callable[[], None]
    """Into FOLDER. Raises CalledProcessError, or FileNotFoundError when a tool is missing."""
    obstacle: Callable[[], str | None]
    """Why it cannot be measured now, or None."""
    serving: Callable[[int, set[int]], AbstractContextManager[Server]]
    """Starts it as one process on those cores, before the fake upstream on that port."""
    question: Callable[[int], HttpQuestion]
    """The call to make, given the port of the fake upstream."""


def chat(headers: Mapping[str, str]) -> HttpQuestion:
    """A chat completion with the headers that this peer wants."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": _PROMPT}]}
    return post("/v1/chat/completions", headers, json.dumps(body).encode(), _TEXT_BYTES)

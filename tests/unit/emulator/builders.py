"""Requests and calls in as few words as a test needs."""

from __future__ import annotations

from typing import Any

from multidict import CIMultiDict

from sidecar.emulator.call import Call, Request, accept
from sidecar.emulator.models import MODELS
from sidecar.emulator.reply import Generation, generate
from sidecar.emulator.routes import Face, find_route
from sidecar.emulator.script import parse_script

MODEL = "gemini-3.8-flash"


def prompt(text: str = "Why is the sky blue?", **fields: Any) -> dict[str, Any]:
    """A canonical generateContent request; keywords are top-level fields."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}


def generation(
    request: dict[str, Any] | None = None,
    script: str = "",
    *,
    model: str = MODEL,
    face: Face = Face.DEVELOPER,
) -> Generation:
    return generate(MODELS[model], request or prompt(), parse_script(script), face)


def said(reply: dict[str, Any], index: int = 0) -> str:
    """The text of a candidate, without its thoughts."""
    parts = reply["candidates"][index].get("content", {}).get("parts", ())
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def call(body: Any = None, *, method: str = "generateContent", model: str = MODEL, **headers: str) -> Call:
    """An accepted call on the Developer API; keywords are headers, with _ for -."""
    route = find_route("POST", f"/v1/models/{model}:{method}")
    assert route is not None
    fields = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    fields["x-goog-api-key"] = "any"
    return accept(route, Request(fields, {"alt": "sse"}, body or prompt(), b"{...}"), 10.0)

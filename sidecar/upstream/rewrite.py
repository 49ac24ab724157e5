"""What is changed of a body on its way to a candidate. Pure: bodies are shared and never mutated.

A candidate may ask for another service tier than the body, and may be of another issuer than the body's
thought signatures, which nobody else accepts. Those are then taken out. A function call of Gemini 3 and later
must have one, and for calls that the model did not make itself Google has a signature that its validator
passes by (ai.google.dev and Agent Platform docs, "Thought signatures": `skip_thought_signature_validator`);
older models know no such word and need none.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from sidecar.core.call import Json
from sidecar.core.permit import Candidate

SKIP_VALIDATION = base64.b64encode(b"skip_thought_signature_validator").decode()
_GENERATION = re.compile(r"gemini-(\d+)")
_FIRST_THAT_VALIDATES = 3


def rewritten(body: Json, candidate: Candidate) -> Json:
    """The canonical body as `candidate` is to get it; the body itself when nothing is to be changed."""
    if candidate.tier:
        body = {**body, "serviceTier": candidate.tier.upper()}
    if candidate.strips_signatures:
        stand_in = SKIP_VALIDATION if _validates(candidate.model) else ""
        body = {**body, "contents": [_stripped(content, stand_in) for content in body.get("contents", ())]}
    return body


def _validates(model: str) -> bool:
    """Whether a model refuses function calls without a signature; one of unknown generation is taken for
    new.
    """
    named = _GENERATION.search(model)
    return named is None or int(named[1]) >= _FIRST_THAT_VALIDATES


def _stripped(content: Json, stand_in: str) -> Json:
    parts = content.get("parts", ())
    if not any("thoughtSignature" in part for part in parts):
        return content
    return {**content, "parts": [_without_signature(part, stand_in) for part in parts]}


def _without_signature(part: Mapping[str, Any], stand_in: str) -> Mapping[str, Any]:
    if "thoughtSignature" not in part:
        return part
    if stand_in and "functionCall" in part:
        return {**part, "thoughtSignature": stand_in}
    rest = {key: value for key, value in part.items() if key != "thoughtSignature"}
    return rest or {"text": ""}  # a part that carried nothing else keeps its place

"""The Call: what a caller asked, before anything was decided about it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from sidecar.core.evidence import Evidence
from sidecar.core.policy import Policy

Json: TypeAlias = Mapping[str, Any]
"""A JSON object in Gemini's canonical spelling: lowerCamel keys, enum names, standard base64, defaults
dropped. Never mutated.
"""


MODEL_PREFIXES = ("models/", "publishers/google/models/")
"""What Google's own models are called by beyond their ids, by the Developer API and by Vertex AI."""


def model_named(name: str) -> str:
    """A model, or an alias, by the one name that it has here: `models/NAME` and
    `publishers/google/models/NAME` are NAME, so that rules, limits and prices see the same model.
    """
    for prefix in MODEL_PREFIXES:
        name = name.removeprefix(prefix)
    return name


class Method(StrEnum):
    """The RPCs of GeminiService, under their wire names."""

    GENERATE = "Generate"
    STREAM_GENERATE = "StreamGenerate"
    COUNT_TOKENS = "CountTokens"
    EMBED_CONTENT = "EmbedContent"
    LIST_MODELS = "ListModels"
    GET_MODEL = "GetModel"


FREE = frozenset({Method.COUNT_TOKENS, Method.LIST_MODELS, Method.GET_MODEL})
"""Methods that cost nothing and that no limit counts."""


class Arrival(NamedTuple):
    """What is known of a call before its body is read; making one cannot fail."""

    request_id: str
    method: Method
    listener: str
    """Which listener took the call: decides whose word about the caller is believed."""
    received_at: float
    """On `time.perf_counter`, in seconds: uvloop's clock ticks in milliseconds, too coarse for latencies."""
    allowed_s: float
    """How long the call may take: the caller's deadline less the margin that the answer needs to travel."""
    deadline: float
    """When that time is over, on the event loop's clock."""
    priority: str = ""
    """Asked for by the caller; it can lower the one that the Policy gives, never raise it."""
    evidence: Evidence = ()
    """What the caller shows of itself, as far as this listener looks at it."""


class Body(NamedTuple):
    """What the caller wants said upstream."""

    json: Json
    has_unknown_fields: bool
    """Whether any `extra_json` was given."""
    is_large: bool = False
    """Whether writing it out is work for a thread; see `edge/convert`."""

    def __repr__(self) -> str:
        """Without what is said."""
        return f"<Body of {len(self.json)} fields>"


class Call(NamedTuple):
    """One request, read and well-formed, with the Policy snapshot that judges it to the end."""

    arrival: Arrival
    model: str
    """As `model_named` has it: an alias, a model id, or the resource name of one that is not Google's own;
    empty for ListModels."""
    body: Body
    policy: Policy
    allow_fallback: bool = False
    """Whether the caller takes an answer of the models that the Policy has for the case that this one is
    out."""
    project: str = ""
    """The project that issued what the body refers to, as the caller remembers it; empty: it does not say."""

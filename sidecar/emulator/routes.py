"""From an HTTP method and a path to the API call that they name.

Decides which paths exist on which face of the API: the Developer API, Vertex AI under a project, and Vertex
AI's publisher paths without a project (model garden, express mode). Pure; credentials and models are judged
elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, unique
from functools import lru_cache


@unique
class Face(Enum):
    """Which product's rules a path follows."""

    DEVELOPER = "developer"
    VERTEX = "vertex"
    EXPRESS = "express"
    """Publisher paths without a project: an API key or a bearer token will do."""


@unique
class Operation(Enum):
    """What a call asks for; the value is Google's name of the method."""

    GENERATE = "generateContent"
    STREAM = "streamGenerateContent"
    COUNT = "countTokens"
    EMBED = "embedContent"
    BATCH_EMBED = "batchEmbedContents"
    PREDICT = "predict"
    GET_MODEL = "get"
    LIST_MODELS = "list"


@dataclass(frozen=True, slots=True)
class Route:
    """An API call as its path names it.

    `resource` is the model's full resource name on Vertex AI (as its errors quote it), `models/{model}` on
    the Developer API. `model` is empty for a listing.
    """

    face: Face
    version: str
    operation: Operation
    model: str
    resource: str


_DEVELOPER_METHODS = {
    operation.value: operation
    for operation in (
        Operation.GENERATE,
        Operation.STREAM,
        Operation.COUNT,
        Operation.EMBED,
        Operation.BATCH_EMBED,
    )
}
_VERTEX_METHODS = _DEVELOPER_METHODS | {Operation.PREDICT.value: Operation.PREDICT}

_DEVELOPER_PATH = re.compile(
    r"/(?P<version>v1|v1beta|v1alpha)/(?P<resource>models(?:/(?P<model>[^/:]+))?)(?P<method>:\w+)?"
)
_VERTEX_PATH = re.compile(
    r"/(?P<version>v1|v1beta1)/(?P<resource>(?P<project>projects/[^/]+/locations/[^/]+/)?"
    r"publishers/google/models(?:/(?P<model>[^/:]+))?)(?P<method>:\w+)?"
)


@lru_cache(maxsize=1024)
def find_route(http_method: str, path: str) -> Route | None:
    """Return the call that `http_method` and the decoded `path` name, or None if the emulator serves no such
    call."""
    face = Face.DEVELOPER
    match = _DEVELOPER_PATH.fullmatch(path)
    if match is None:
        match = _VERTEX_PATH.fullmatch(path)
        if match is None:
            return None
        face = Face.VERTEX if match["project"] else Face.EXPRESS
    operation = _operation(face, http_method, match["model"], match["method"])
    if operation is None:
        return None
    return Route(face, match["version"], operation, match["model"] or "", match["resource"])


def _operation(face: Face, http_method: str, model: str | None, method: str | None) -> Operation | None:
    if http_method == "GET" and method is None:
        return Operation.GET_MODEL if model else Operation.LIST_MODELS
    if http_method == "POST" and model and method:
        methods = _DEVELOPER_METHODS if face is Face.DEVELOPER else _VERTEX_METHODS
        return methods.get(method[1:])
    return None

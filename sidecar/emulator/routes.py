"""From an HTTP method and a path to the API call that they name.

Decides which paths exist on which face of the API: the Developer API, Vertex AI under a project, and Vertex
AI's publisher paths without a project (model garden, express mode); and which parts of the API are known but
not played. Pure; credentials and models are judged elsewhere.
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
    CREATE_CACHE = "createCachedContent"
    LIST_CACHES = "listCachedContents"
    GET_CACHE = "getCachedContent"
    UPDATE_CACHE = "updateCachedContent"
    DELETE_CACHE = "deleteCachedContent"
    UPLOAD_FILE = "uploadFile"
    LIST_FILES = "listFiles"
    GET_FILE = "getFile"
    DELETE_FILE = "deleteFile"


@dataclass(frozen=True, slots=True)
class Route:
    """An API call as its path names it.

    `resource` is the full resource name on Vertex AI (as its errors quote it), such as `models/{model}` or
    `files/{id}` on the Developer API. `model` is empty for a call that names none in its path.
    """

    face: Face
    version: str
    operation: Operation
    model: str
    resource: str

    @property
    def project(self) -> str:
        """The project that a path of Vertex AI names; empty on other faces."""
        return self.resource.split("/")[1] if self.face is Face.VERTEX else ""


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
_CACHE_PATH = re.compile(
    r"/(?P<version>v1|v1beta1?|v1alpha)/(?P<resource>(?P<project>projects/[^/]+/locations/[^/]+/)?"
    r"cachedContents(?P<id>/[^/:]+)?)"
)
_FILE_PATH = re.compile(
    r"(?P<upload>/upload)?/(?P<version>v1|v1beta|v1alpha)/(?P<resource>files(?P<id>/[^/:]+)?)"
)
_CACHE_OPERATIONS = {
    ("POST", False): Operation.CREATE_CACHE,
    ("GET", False): Operation.LIST_CACHES,
    ("GET", True): Operation.GET_CACHE,
    ("PATCH", True): Operation.UPDATE_CACHE,
    ("DELETE", True): Operation.DELETE_CACHE,
}
_FILE_OPERATIONS = {
    ("GET", False): Operation.LIST_FILES,
    ("GET", True): Operation.GET_FILE,
    ("DELETE", True): Operation.DELETE_FILE,
}

_UNPLAYED = re.compile(
    r"/(?:upload/)?v1(?:beta1?|alpha)?/(?:projects/[^/]+/locations/[^/]+/)?(?:[^:]*:"
    r"(?P<method>batchGenerateContent|asyncBatchEmbedContent|bidiGenerateContent|computeTokens"
    r"|generateAnswer|predictLongRunning|rawPredict|streamRawPredict|register|download)"
    r"|(?P<collection>batches|batchPredictionJobs|tunedModels|tuningJobs|fileSearchStores|ragStores|corpora"
    r"|operations|interactions|agents|auth_tokens|openai)(?:[/:].*)?)"
)
_BATCHES = ("batchGenerateContent", "asyncBatchEmbedContent", "batches", "batchPredictionJobs")


def find_unplayed(path: str) -> str | None:
    """Return why the emulator does not play a path that Google serves, or None if it knows no such path."""
    match = _UNPLAYED.fullmatch(path)
    if match is None:
        return None
    name = match["method"] or match["collection"]
    if name in _BATCHES:
        return (
            f"The emulator has no batches ({name}). Send the requests one by one to generateContent or "
            "embedContent: replies, usage and quotas are the same."
        )
    return f"The emulator does not play {name}. GET /emulator/state and docs/emulator.md say what it plays."


@lru_cache(maxsize=1024)
def find_route(http_method: str, path: str) -> Route | None:
    """Return the call that `http_method` and the decoded `path` name, or None if the emulator serves no such
    call."""
    face = Face.DEVELOPER
    match = _DEVELOPER_PATH.fullmatch(path)
    if match is None:
        match = _VERTEX_PATH.fullmatch(path)
        if match is None:
            return _find_resource(http_method, path)
        face = Face.VERTEX if match["project"] else Face.EXPRESS
    operation = _operation(face, http_method, match["model"], match["method"])
    if operation is None:
        return None
    return Route(face, match["version"], operation, match["model"] or "", match["resource"])


def _find_resource(http_method: str, path: str) -> Route | None:
    """Return the call on caches or files."""
    if match := _CACHE_PATH.fullmatch(path):
        face = Face.VERTEX if match["project"] else Face.DEVELOPER
        operation = _CACHE_OPERATIONS.get((http_method, bool(match["id"])))
    elif match := _FILE_PATH.fullmatch(path):
        face = Face.DEVELOPER
        operation = _FILE_OPERATIONS.get((http_method, bool(match["id"])))
        if match["upload"]:
            is_upload = http_method in ("POST", "PUT") and not match["id"]
            operation = Operation.UPLOAD_FILE if is_upload else None
    else:
        return None
    return Route(face, match["version"], operation, "", match["resource"]) if operation else None


def _operation(face: Face, http_method: str, model: str | None, method: str | None) -> Operation | None:
    if http_method == "GET" and method is None:
        return Operation.GET_MODEL if model else Operation.LIST_MODELS
    if http_method == "POST" and model and method:
        methods = _DEVELOPER_METHODS if face is Face.DEVELOPER else _VERTEX_METHODS
        return methods.get(method[1:])
    return None

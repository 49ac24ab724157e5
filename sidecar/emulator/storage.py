"""What clients leave with the emulator: caches and files, and how requests refer to them.

Decides which calls act on which of the two, whose they are, and how a generateContent request reads once its
references are resolved.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sidecar.emulator.caches import Caches, Owner
from sidecar.emulator.call import Call
from sidecar.emulator.errors import (
    ApiError,
    Json,
    model_not_found,
    model_retired,
    publisher_model_not_found,
)
from sidecar.emulator.files import Files, Headers, UploadRequest
from sidecar.emulator.models import RETIRED, Model, find_model
from sidecar.emulator.routes import Face, Operation, Route


@dataclass(frozen=True, slots=True)
class Storage:
    """The caches and files of one emulator."""

    caches: Caches
    files: Files

    def act(self, call: Call, project: str) -> tuple[Json, Headers]:
        """Do what a call on caches or files asks and return body and headers of the reply.

        Raises:
            ApiError: what is wrong with the call; nothing has been done then.
        """
        owner, route = _owner(call.route, project), call.route
        if route.operation is Operation.UPLOAD_FILE:
            came = call.request
            path = f"/upload/{route.version}/{route.resource}"
            request = UploadRequest(came.headers, came.query, came.body_text, came.origin, path)
            return self.files.upload(owner, request)
        if route.operation in (Operation.LIST_FILES, Operation.GET_FILE, Operation.DELETE_FILE):
            return self._act_on_file(call, owner), ()
        return self._act_on_cache(call, owner), ()

    def resolve(self, call: Call, project: str, model: Model) -> tuple[Json, Counter[str]]:
        """Return the canonical request of `call` as the model reads it, and the tokens that come from its
        cache.

        Raises:
            ApiError: when a cache or file that it names is gone, or may not be used so.
        """
        owner, request = _owner(call.route, project), call.body
        cached: Counter[str] = Counter()
        if name := request.get("cachedContent"):
            cache = self.caches.use(owner, name, model)
            if cache:
                request, cached = cache.put_into(request), cache.tokens
        return self._with_files(owner, request), cached

    def _with_files(self, owner: Owner, request: Json) -> Json:
        """Return `request` with the facts of those files that were uploaded here."""
        if not any("fileData" in part for content in request["contents"] for part in content["parts"]):
            return request
        contents = [
            content | {"parts": [self._with_file(owner, part) for part in content["parts"]]}
            for content in request["contents"]
        ]
        return request | {"contents": contents}

    def _with_file(self, owner: Owner, part: Json) -> Json:
        reference = part.get("fileData", {})
        file = self.files.at(owner, reference.get("fileUri", ""))
        if file is None:
            return part
        known = {"mimeType": file.mime_type, "sizeBytes": file.size_bytes}
        return part | {"fileData": known | reference}

    def _act_on_file(self, call: Call, owner: Owner) -> Json:
        name = call.route.resource
        if call.route.operation is Operation.LIST_FILES:
            return self.files.list(owner, call.query)
        if call.route.operation is Operation.DELETE_FILE:
            return self.files.delete(owner, name)
        return self.files.find(owner, name).as_json()

    def _act_on_cache(self, call: Call, owner: Owner) -> Json:
        operation, name = call.route.operation, call.route.resource
        if operation is Operation.CREATE_CACHE:
            model = call.body.get("model")
            if not model:
                raise ApiError(400, "* CreateCachedContentRequest.cached_content.model: model is required\n")
            return self.caches.create(owner, model_for(call.route, model), call.body)
        if operation is Operation.LIST_CACHES:
            return self.caches.list(owner, call.query)
        if operation is Operation.UPDATE_CACHE:
            return self.caches.update(owner, name, call.body)
        if operation is Operation.DELETE_CACHE:
            return self.caches.delete(owner, name)
        return self.caches.find(owner, name).as_json()


def _owner(route: Route, project: str) -> Owner:
    parent = "/".join(route.resource.split("/")[:4]) if route.face is Face.VERTEX else ""
    return Owner(project, parent)


def model_for(route: Route, name: str) -> Model:
    """Return the model called `name`, alone or as the end of a resource name, if it has the route's method.

    Raises:
        ApiError: 404 in the words of the face that was asked.
    """
    name = name.rpartition("/")[2]
    model = find_model(name, route.version)
    if model and (route.operation is Operation.GET_MODEL or route.operation.value in model.methods):
        return model
    if successor := RETIRED.get(name):
        raise model_retired(name, successor)
    if route.face is Face.DEVELOPER:
        raise model_not_found(name, route.version, route.operation.value)
    raise publisher_model_not_found(route.resource)

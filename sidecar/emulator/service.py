"""The emulated service: from an accepted call to the answer that will be played.

Decides which model answers, what the good reply is, whether a scripted fault befalls this call, and in which
order delay, fault and deadline act. One instance serves one emulator; its only state is how often faults with
`times=` have struck.

Invariant: what is wrong with the request itself is told first; a fault befalls only calls that have a good
reply.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace

from sidecar.emulator.answer import Answer, bounded, delayed
from sidecar.emulator.call import Call
from sidecar.emulator.embeddings import batch_embed, embed, predict
from sidecar.emulator.errors import (
    DEVELOPER_SERVICE,
    VERTEX_SERVICE,
    ApiError,
    Json,
    model_not_found,
    model_retired,
    publisher_model_not_found,
)
from sidecar.emulator.faults import Scope, find_fault
from sidecar.emulator.models import RETIRED, Model, find_model, list_models
from sidecar.emulator.reply import generate, service_tier
from sidecar.emulator.routes import Face, Operation
from sidecar.emulator.rules import check_contents, check_generate
from sidecar.emulator.scene import Scene
from sidecar.emulator.script import without_directives
from sidecar.emulator.tokens import modality_details, tokenizer_for

_SCOPES = {Operation.GENERATE: Scope.GENERATE, Operation.STREAM: Scope.STREAM}
_MAX_REMEMBERED = 4096


class Service:
    """Answers calls; not safe for use from several threads."""

    def __init__(self) -> None:
        self._struck: OrderedDict[tuple[str, str], int] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Service remembering {len(self._struck)} recurring faults>"

    def answer(self, call: Call) -> Answer:
        """Return the answer to `call`, to be played once.

        Raises:
            ApiError: what is wrong with the call, before anything is played.
        """
        scene = _scene(call)
        script = call.script
        if script.fault is not None:
            fault = find_fault(script.fault, _SCOPES.get(call.route.operation, Scope.ANY))
            answer = fault.answer(scene) if self._strikes(call) else scene.good()
        else:
            answer = scene.good()
        if call.route.face is Face.DEVELOPER and call.route.operation in _SCOPES:
            answer = replace(answer, tier=service_tier(call.body))
        answer = delayed(answer, float(script.latency))
        if call.server_timeout_s is None:
            return answer
        return bounded(answer, call.server_timeout_s, call.framing)

    def _strikes(self, call: Call) -> bool:
        """Whether a scripted fault befalls this call: always, or the first `times` calls of the same kind."""
        if call.script.times is None:
            return True
        kind = (call.request_id, call.script.text)
        count = self._struck.pop(kind, 0)
        self._struck[kind] = count + 1
        if len(self._struck) > _MAX_REMEMBERED:
            self._struck.popitem(last=False)
        return count < call.script.times


def _scene(call: Call) -> Scene:
    """Return the scene of `call`, with its good reply.

    Raises:
        ApiError: when the call has none.
    """
    route = call.route
    if route.operation in _SCOPES:
        model = _model(call)
        check_generate(model, call.body)
        generation = generate(model, call.body, call.script, route.face)
        reply, chunks = generation.whole_reply, generation.chunks
    else:
        reply, chunks = _constant(_payload(call))
    return Scene(
        model=route.model,
        version=route.version,
        method=route.operation.value,
        service=DEVELOPER_SERVICE if route.face is Face.DEVELOPER else VERTEX_SERVICE,
        script=call.script,
        framing=call.framing,
        reply=reply,
        chunks=chunks,
    )


def _constant(payload: Json) -> tuple[Callable[[], Json], Callable[[], Iterator[Json]]]:
    return (lambda: payload), (lambda: iter((payload,)))


def _payload(call: Call) -> Json:
    """Return the good reply of a call that generates nothing."""
    route = call.route
    if route.operation is Operation.LIST_MODELS:
        token = without_directives(call.query.get("pageToken", "")).strip()
        page_size = call.query.get("pageSize", "")
        return list_models(route.version, page_size, token, publisher=route.face is not Face.DEVELOPER)
    model = _model(call)
    if route.operation is Operation.GET_MODEL:
        return model.as_developer_json() if route.face is Face.DEVELOPER else model.as_publisher_json()
    if route.operation is Operation.EMBED:
        return embed(model, call.body, route.face)
    if route.operation is Operation.BATCH_EMBED:
        return batch_embed(model, call.body, route.face)
    if route.operation is Operation.PREDICT:
        return predict(model, call.body)
    return _count_tokens(model, call)


def _model(call: Call) -> Model:
    """Return the model that the call names, if it has the method.

    Raises:
        ApiError: 404 in the words of the face that was asked.
    """
    route = call.route
    model = find_model(route.model, route.version)
    if model and (route.operation is Operation.GET_MODEL or route.operation.value in model.methods):
        return model
    if successor := RETIRED.get(route.model):
        raise model_retired(route.model, successor)
    if route.face is Face.DEVELOPER:
        raise model_not_found(route.model, route.version, route.operation.value)
    raise publisher_model_not_found(route.resource)


def _count_tokens(model: Model, call: Call) -> Json:
    request = call.body
    if inner := request.get("generateContentRequest"):
        if "contents" in request:
            text = "contents and generate_content_request are mutually exclusive; send one of them."
            raise ApiError(400, text)
        request = inner
    check_contents(request, "CountTokensRequest")
    tokens = tokenizer_for(model.name, early_tiles=model.early_tiles).count_request(request)
    return {"totalTokens": tokens.total(), "promptTokensDetails": modality_details(tokens)}

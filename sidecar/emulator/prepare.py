"""From an accepted call to the good reply that it would have, and what it counts for in the quotas.

Decides which model answers and what the good reply of each method is, or why there is none. When the reply
goes out, and whether a quota or a fault comes before it, is decided by `service`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sidecar.emulator.admission import Hits
from sidecar.emulator.call import Call
from sidecar.emulator.continuation import STREAM_HOP_TOKENS, UNARY_HOP_TOKENS
from sidecar.emulator.embeddings import batch_embed, embed, predict
from sidecar.emulator.errors import DEVELOPER_SERVICE, VERTEX_SERVICE, ApiError, Json
from sidecar.emulator.models import Model, list_models
from sidecar.emulator.prices import Bill
from sidecar.emulator.reply import generate, service_tier
from sidecar.emulator.routes import Face, Operation
from sidecar.emulator.rules import check_contents, check_generate
from sidecar.emulator.scene import Scene
from sidecar.emulator.script import without_directives
from sidecar.emulator.storage import Storage, model_for
from sidecar.emulator.tokens import modality_details, tokenizer_for


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call's good reply, as the scene of a fault that may come in its way.

    `hits` is None for a call without quota. `input_tokens` are counted for it too, where there are any.
    """

    scene: Scene
    hits: Hits | None = None
    input_tokens: int = 0
    tier: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def prepare(call: Call, project: str, storage: Storage) -> Prepared:
    """Return the good reply of `call`, made by `project`; a call on caches or files acts on `storage`.

    Raises:
        ApiError: when it has none.
    """
    operation = call.route.operation
    if operation in (Operation.GENERATE, Operation.STREAM):
        return _generation(call, project, storage)
    if operation in (Operation.EMBED, Operation.BATCH_EMBED, Operation.PREDICT):
        return _embedding(call)
    if operation is Operation.COUNT:
        payload = _count_tokens(_model(call), call)
        return Prepared(_scene(call, payload), input_tokens=payload["totalTokens"])
    if operation in (Operation.GET_MODEL, Operation.LIST_MODELS):
        return Prepared(_scene(call, _catalogue(call)))
    payload, headers = storage.act(call, project)
    return Prepared(_scene(call, payload), headers=headers)


def _generation(call: Call, project: str, storage: Storage) -> Prepared:
    model = _model(call)
    check_generate(model, call.body)
    request, cached = storage.resolve(call, project, model)
    hop = call.script.hop or (STREAM_HOP_TOKENS if call.framing else UNARY_HOP_TOKENS)
    generation = generate(model, request, replace(call.script, hop=hop), call.route.face, cached)
    tier = service_tier(call.body, call.script)
    tokens = generation.prompt_tokens.total()
    bill = Bill(model.name, tier, tokens, cached.total(), generation.output_tokens())
    return Prepared(
        _scene_of(call, generation.whole_reply, generation.chunks),
        Hits(1, bill),
        tokens,
        tier if call.route.face is Face.DEVELOPER else None,
    )


def _embedding(call: Call) -> Prepared:
    model = _model(call)
    if call.route.operation is Operation.PREDICT:
        payload = predict(model, call.body)
        items = payload["predictions"]
        tokens = sum(item["embeddings"]["statistics"]["token_count"] for item in items)
    else:
        made = embed if call.route.operation is Operation.EMBED else batch_embed
        payload = made(model, call.body, call.route.face)
        items = payload.get("embeddings", [payload.get("embedding")])
        tokens = payload["usageMetadata"]["promptTokenCount"]
    hits = Hits(len(items), Bill(model.name, "standard", tokens), embeds=True)
    return Prepared(_scene(call, payload), hits, tokens)


def _scene(call: Call, payload: Json) -> Scene:
    return _scene_of(call, lambda: payload, lambda: iter((payload,)))


def _scene_of(call: Call, reply: Callable[[], Json], chunks: Callable[[], Iterator[Json]]) -> Scene:
    route = call.route
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


def _catalogue(call: Call) -> Json:
    """Return the good reply of a call that asks which models there are."""
    route = call.route
    if route.operation is Operation.LIST_MODELS:
        token = without_directives(call.query.get("pageToken", "")).strip()
        page_size = call.query.get("pageSize", "")
        return list_models(route.version, page_size, token, publisher=route.face is not Face.DEVELOPER)
    model = _model(call)
    return model.as_developer_json() if route.face is Face.DEVELOPER else model.as_publisher_json()


def _model(call: Call) -> Model:
    """Return the model that the path names, if it has the method."""
    return model_for(call.route, call.route.model)


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

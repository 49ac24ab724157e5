"""Vectors: deterministic unit vectors in which texts that share words lie close together.

Decides the values and the reply forms of embedContent, batchEmbedContents and Vertex AI's predict, and counts
the tokens of their inputs.

Theory of operation: every word (and every medium) of the input adds a few signed ones at coordinates drawn
from the word's digest, the sum is scaled to length 1. So equal inputs have equal vectors, word order does not
matter, unrelated texts are nearly orthogonal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from sidecar.emulator.errors import ApiError, Json, bad_request
from sidecar.emulator.models import Model
from sidecar.emulator.routes import Face
from sidecar.emulator.rules import check_contents, check_input_tokens
from sidecar.emulator.tokens import modality_details, tokenizer_for

_COORDINATES_PER_WORD = 8
_DECIMALS = 8


def embed(model: Model, request: Json, face: Face) -> Json:
    """Return the reply of embedContent to a canonical request.

    Raises:
        ApiError: 400 when the content is missing, too long, or the size is out of range.
    """
    values, tokens = _embedding(model, request, "")
    return {"embedding": {"values": values}, "usageMetadata": _usage(tokens, face)}


def batch_embed(model: Model, request: Json, face: Face) -> Json:
    """Return the reply of batchEmbedContents to a canonical request.

    Raises:
        ApiError: 400 when there is no request, or one of them is one that `embed` refuses.
    """
    requests = request.get("requests")
    if not requests:
        raise ApiError(400, "* BatchEmbedContentsRequest.requests: requests is not specified\n")
    made = [_embedding(model, one, f"requests[{index}].") for index, one in enumerate(requests)]
    tokens: Counter[str] = sum((counts for _, counts in made), Counter())
    return {"embeddings": [{"values": values} for values, _ in made], "usageMetadata": _usage(tokens, face)}


def predict(model: Model, request: Json) -> Json:
    """Return the reply of Vertex AI's predict to a canonical request for text embeddings.

    Raises:
        ApiError: 400 when there is no instance, or one of them is one that `embed` refuses.
    """
    instances = request.get("instances")
    if not instances:
        raise ApiError(400, "* PredictRequest.instances: instances is not specified\n")
    size = request.get("parameters", {}).get("outputDimensionality")
    predictions = []
    for index, instance in enumerate(instances):
        one: Json = {"content": {"parts": [{"text": instance.get("content", "")}]}}
        if size is not None:
            one["outputDimensionality"] = size
        values, tokens = _embedding(model, one, f"instances[{index}].")
        statistics = {"token_count": tokens.total(), "truncated": False}
        predictions.append({"embeddings": {"values": values, "statistics": statistics}})
    characters = sum(len("".join(instance.get("content", "").split())) for instance in instances)
    return {"predictions": predictions, "metadata": {"billableCharacterCount": characters}}


def _embedding(model: Model, request: Json, path: str) -> tuple[list[float], Counter[str]]:
    if "content" not in request:
        raise ApiError(400, f"* {path}content: content is not specified\n")
    contents = {"contents": [request["content"]]}
    check_contents(contents, "EmbedContentRequest")
    tokens = tokenizer_for(model.name, early_tiles=model.early_tiles).count_request(contents)
    check_input_tokens(model, tokens.total())
    config = request | request.get("embedContentConfig", {})
    size = config.get("outputDimensionality", model.embedding_size)
    if not 1 <= size <= model.embedding_size:
        text = f"outputDimensionality must be from 1 to {model.embedding_size}, not {size}."
        raise bad_request([(f"{path}output_dimensionality", text)])
    return _vector(_features(contents["contents"][0]), size, model.name), tokens


def _features(content: Json) -> Iterator[str]:
    """Yield what is compared: words without case and punctuation, and media by their beginning."""
    for part in content["parts"]:
        if "text" in part:
            words = (word.strip(".,;:!?\"'()[]").lower() for word in part["text"].split())
            yield from (word for word in words if word)
        else:
            medium: Any = part.get("inlineData") or part.get("fileData") or {}
            yield f"medium {medium.get('mimeType')} {medium.get('fileUri') or medium.get('data', '')[:256]}"


def _vector(features: Iterator[str], size: int, model: str) -> list[float]:
    person = blake2b(model.encode(), digest_size=16).digest()
    values = [0.0] * size
    for feature in features:
        digest = blake2b(feature.encode(), digest_size=4 * _COORDINATES_PER_WORD, person=person).digest()
        for start in range(0, len(digest), 4):
            draw = int.from_bytes(digest[start : start + 4], "big")
            values[(draw >> 1) % size] += 1.0 if draw & 1 else -1.0
    length = math.sqrt(sum(value * value for value in values))
    if not length:
        return [round(1 / math.sqrt(size), _DECIMALS)] * size
    return [round(value / length, _DECIMALS) for value in values]


def _usage(tokens: Counter[str], face: Face) -> Json:
    # The two products spell the details differently.
    details = "promptTokenDetails" if face is Face.DEVELOPER else "promptTokensDetails"
    return {"promptTokenCount": tokens.total(), details: modality_details(tokens)}

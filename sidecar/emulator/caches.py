"""Cached contents: a prompt's beginning that is kept for a time and named by later requests.

Decides which caches exist, until when, who may see them, and how a request reads with its cache put in.

Facts kept here: a cache is for one model and one project; it needs a minimum of tokens; a request that names
one may not bring instruction or tools of its own; what has expired, was deleted or belongs to another project
looks the same as what never was. Gemini 4 has no explicit caches.

Memory is bounded: 1,000 caches and 256 MiB of contents; beyond that creation is refused, nothing is thrown
away before it expires.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from sidecar.emulator.clock import SECOND_US, Clock, parse_rfc3339, rfc3339
from sidecar.emulator.errors import ApiError, Json, bad_request
from sidecar.emulator.models import Model
from sidecar.emulator.paging import page_of
from sidecar.emulator.rules import check_contents, check_input_tokens
from sidecar.emulator.tokens import tokenizer_for

_DEFAULT_TTL_S = 3600
_MIN_TOKENS = 4096
_EARLY_MIN_TOKENS = 2048
_MAX_CACHES = 1000
_MAX_BYTES = 256 << 20
_TTL = re.compile(r"(\d{1,10})(?:\.(\d{1,9}))?s")
_MADE_HERE = re.compile(r"(?:.*/)?cachedContents/[0-9a-f]{32}")
_KEPT = ("contents", "systemInstruction", "tools", "toolConfig")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may see a cache or a file: a project on one face of the API; `parent` is the project's path on
    Vertex AI, empty on the Developer API."""

    project: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Cache:
    """One cached content; `content` is canonical, `tokens` are its counts by modality."""

    name: str
    owner: Owner
    model: str
    model_name: str
    display_name: str
    content: Json
    tokens: Counter[str]
    size_bytes: int
    created_us: int
    updated_us: int
    expires_us: int

    def as_json(self) -> Json:
        """Return the cache as the API shows it, without its contents."""
        shown: Json = {"name": self.name, "model": self.model_name}
        if self.display_name:
            shown["displayName"] = self.display_name
        return shown | {
            "createTime": rfc3339(self.created_us),
            "updateTime": rfc3339(self.updated_us),
            "expireTime": rfc3339(self.expires_us),
            "usageMetadata": {"totalTokenCount": self.tokens.total()},
        }

    def put_into(self, request: Json) -> Json:
        """Return `request` as the model reads it: with the cached content in front of its own.

        Raises:
            ApiError: 400 when the request brings what only the cache may have.
        """
        if any(name in request for name in _KEPT[1:]):
            raise ApiError(
                400,
                "CachedContent can not be used with GenerateContent request setting system_instruction, "
                "tools or tool_config.\n\nProposed fix: move those values to CachedContent from "
                "GenerateContent request.",
            )
        contents = [*self.content.get("contents", ()), *request["contents"]]
        return request | self.content | {"contents": contents}


class Caches:
    """All cached contents; for one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._caches: dict[str, Cache] = {}
        self._size_bytes = 0

    def __repr__(self) -> str:
        return f"<Caches {len(self._caches)} with {self._size_bytes} bytes>"

    def create(self, owner: Owner, model: Model, request: Json) -> Json:
        """Keep the content of a canonical CachedContent and return it as shown.

        Raises:
            ApiError: 400 when it is too small, too long, empty, or its time is faulty; 429 when there is no
                room.
        """
        content = {name: request[name] for name in _KEPT if name in request}
        if "contents" in content or "systemInstruction" not in content:
            check_contents(content, "CreateCachedContentRequest.cached_content")
        tokens = tokenizer_for(model.name, early_tiles=model.early_tiles).count_request(content)
        check_input_tokens(model, tokens.total())
        least = _EARLY_MIN_TOKENS if model.early_tiles else _MIN_TOKENS
        if tokens.total() < least:
            text = "Cached content is too small."
            counts = f"total_token_count={tokens.total()}, min_total_token_count={least}"
            raise ApiError(400, f"{text} {counts}")
        now_us = self._drop_expired()
        size_bytes = len(orjson.dumps(content))
        if len(self._caches) >= _MAX_CACHES or self._size_bytes + size_bytes > _MAX_BYTES:
            text = (
                f"The emulator keeps at most {_MAX_CACHES} caches with {_MAX_BYTES >> 20} MiB; delete some."
            )
            raise ApiError(429, text)
        prefix = owner.parent + "/" if owner.parent else ""
        cache = Cache(
            name=f"{prefix}cachedContents/{secrets.token_hex(16)}",
            owner=owner,
            model=model.name,
            model_name=request["model"],
            display_name=request.get("displayName", ""),
            content=content,
            tokens=tokens,
            size_bytes=size_bytes,
            created_us=now_us,
            updated_us=now_us,
            expires_us=_expiry_us(request, now_us) or now_us + _DEFAULT_TTL_S * SECOND_US,
        )
        self._caches[cache.name] = cache
        self._size_bytes += size_bytes
        return cache.as_json()

    def find(self, owner: Owner, name: str) -> Cache:
        """Return the cache that `owner` calls `name`.

        Raises:
            ApiError: 403 on the Developer API, 404 on Vertex AI, when there is none.
        """
        self._drop_expired()
        cache = self._caches.get(name)
        if cache is None or cache.owner != owner:
            raise _missing(owner, name)
        return cache

    def use(self, owner: Owner, name: str, model: Model) -> Cache | None:
        """Return the cache that a generateContent request for `model` names.

        None if the name has not the form that is given out here: a placeholder that stands for no content.

        Raises:
            ApiError: as `find`, and 400 when the cache is for another model.
        """
        if not _MADE_HERE.fullmatch(name):
            return None
        cache = self.find(owner, name)
        if cache.model != model.name:
            text = f"Model used by GenerateContent request (models/{model.name}) and CachedContent "
            raise ApiError(400, f"{text}(models/{cache.model}) has to be the same.")
        return cache

    def list(self, owner: Owner, query: Mapping[str, str]) -> Json:
        """Return a page of the caches of `owner`, the oldest first."""
        self._drop_expired()
        mine = [cache for cache in self._caches.values() if cache.owner == owner]
        page, following = page_of(mine, query.get("pageSize", ""), query.get("pageToken", ""))
        return {"cachedContents": [cache.as_json() for cache in page]} | following if page else {}

    def update(self, owner: Owner, name: str, request: Json) -> Json:
        """Change when a cache expires and return it as shown.

        Raises:
            ApiError: as `find`; 400 when the request asks for anything else, or its time is faulty.
        """
        cache = self.find(owner, name)
        now_us = self._clock.now().wall_us
        expires_us = _expiry_us(request, now_us)
        if expires_us is None or set(request) - {"ttl", "expireTime", "name", "model"}:
            raise ApiError(
                400, "Only the expiration of a CachedContent can be updated: set ttl or expire_time."
            )
        cache = replace(cache, updated_us=now_us, expires_us=expires_us)
        self._caches[name] = cache
        return cache.as_json()

    def delete(self, owner: Owner, name: str) -> Json:
        """Forget a cache and return the empty reply.

        Raises:
            ApiError: as `find`.
        """
        self._drop(self.find(owner, name))
        return {}

    def _drop_expired(self) -> int:
        """Forget what has expired and return the time."""
        now_us = self._clock.now().wall_us
        for cache in [one for one in self._caches.values() if one.expires_us <= now_us]:
            self._drop(cache)
        return now_us

    def _drop(self, cache: Cache) -> None:
        del self._caches[cache.name]
        self._size_bytes -= cache.size_bytes


def _missing(owner: Owner, name: str) -> ApiError:
    if owner.parent:
        return ApiError(404, f"Not found: cached content metadata for {name}.")
    return ApiError(403, "CachedContent not found (or permission denied)")


def _expiry_us(request: Json, now_us: int) -> int | None:
    """Return when the request wants the cache to expire; None if it does not say."""
    if "ttl" in request and "expireTime" in request:
        raise bad_request([("ttl", "ttl and expire_time are mutually exclusive; set one of them.")])
    if "ttl" in request:
        match = _TTL.fullmatch(request["ttl"])
        if match is None:
            text = (
                f"Invalid value at 'ttl' (type.googleapis.com/google.protobuf.Duration), \"{request['ttl']}\""
            )
            raise bad_request([("ttl", text)])
        ttl_us = int(match[1]) * SECOND_US + int((match[2] or "").ljust(9, "0")) // 1000
        return _later(now_us + ttl_us, now_us, "ttl")
    if "expireTime" not in request:
        return None
    try:
        expires_us = parse_rfc3339(request["expireTime"])
    except ValueError:
        kind = "type.googleapis.com/google.protobuf.Timestamp"
        text = f"Invalid value at 'expire_time' ({kind}), \"{request['expireTime']}\""
        raise bad_request([("expire_time", text)]) from None
    return _later(expires_us, now_us, "expire_time")


def _later(expires_us: int, now_us: int, field: str) -> int:
    if expires_us <= now_us:
        raise bad_request([(field, "The expiration of a CachedContent must be in the future.")])
    return expires_us

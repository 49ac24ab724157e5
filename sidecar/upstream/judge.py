"""Whether a stream ended honestly. Pure.

Gemini marks the end of each candidate with a finish reason and a refused prompt with a block reason. A body
that simply ends proves nothing: proxies, restarts and cut connections all look like that. So a stream is
complete only when something was said and every candidate that spoke has finished.
"""

from collections.abc import Callable

from sidecar.core.call import Json
from sidecar.core.errors import Reason, UpstreamUnavailable

_UNSAID = (None, "", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED")
"""No reason at all: Vertex spells the unspecified finish reason out on interim chunks."""
_EMPTY: tuple[Json, ...] = ({}, {"text": ""})
"""Parts that say nothing."""


def is_last_word(chunk: Json) -> bool:
    """Whether a chunk finishes a candidate, or has none, as where the prompt is refused or the usage comes
    last: with it the usage so far is worth telling.
    """
    candidates = chunk.get("candidates")
    if not candidates:
        return True
    for candidate in candidates:  # noqa: SIM110 - `any` takes four times as long, and this is asked of every chunk
        if candidate.get("finishReason") not in _UNSAID:
            return True
    return False


def has_content(chunk: Json) -> bool:
    """Whether a chunk says anything to the caller: a part that is not empty, an end or a refusal. Usage or a
    role alone is a sign of life.
    """
    return bool(chunk.get("promptFeedback")) or any(
        candidate.get("finishReason") not in _UNSAID or _has_parts(candidate.get("content"))
        for candidate in chunk.get("candidates") or ()
    )


def _has_parts(content: object) -> bool:
    parts = content.get("parts") if isinstance(content, dict) else None
    return isinstance(parts, list) and any(part not in _EMPTY for part in parts)


class StreamJudge:
    """Watches the chunks of one stream go by. `has_spoken` is called once, for the first content."""

    def __init__(self, has_spoken: Callable[[], None] | None = None) -> None:
        self._has_spoken = has_spoken
        self._speaking: set[int] = set()
        self._finished: set[int] = set()
        self._blocked = False

    def __repr__(self) -> str:
        state = (
            "complete"
            if self.is_complete
            else f"waiting for candidates {sorted(self._speaking - self._finished)}"
        )
        return f"<StreamJudge {state}>"

    def see(self, chunk: Json) -> None:
        """Note what one well-formed chunk (see `decode.reply`) finishes."""
        for candidate in chunk.get("candidates") or ():
            index = candidate.get("index") or 0
            self._speaking.add(index)
            if candidate.get("finishReason") not in _UNSAID:
                self._finished.add(index)
        if self._has_spoken is not None and has_content(chunk):
            self._has_spoken()
            self._has_spoken = None
        feedback = chunk.get("promptFeedback")
        if feedback and feedback.get("blockReason") not in _UNSAID:
            self._blocked = True

    @property
    def is_complete(self) -> bool:
        """Whether the stream may end here."""
        return self._blocked or (bool(self._finished) and self._speaking <= self._finished)

    def check_end(self) -> None:
        """Judge the end of the body. Raises UpstreamUnavailable when the stream is not complete."""
        if self.is_complete:
            return
        if not self._speaking:
            raise UpstreamUnavailable(
                "the stream ended without a single candidate", reason=Reason.UPSTREAM_MALFORMED
            )
        raise UpstreamUnavailable(
            "the stream ended without a finish reason", reason=Reason.UPSTREAM_MALFORMED
        )

"""Whether a stream ended honestly. Pure.

Gemini marks the end of each candidate with a finish reason and a refused prompt with a block reason. A body
that simply ends proves nothing: proxies, restarts and cut connections all look like that. So a stream is
complete only when something was said and every candidate that spoke has finished.
"""

from sidecar.core.call import Json
from sidecar.core.errors import Reason, UpstreamUnavailable

_UNSAID = (None, "", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED")
"""No reason at all: Vertex spells the unspecified finish reason out on interim chunks."""


def is_last_word(chunk: Json) -> bool:
    """Whether a chunk finishes a candidate, or has none, as where the prompt is refused or the usage comes
    last: with it the usage so far is worth telling.
    """
    candidates = chunk.get("candidates")
    return not candidates or any(candidate.get("finishReason") not in _UNSAID for candidate in candidates)


class StreamJudge:
    """Watches the chunks of one stream go by."""

    def __init__(self) -> None:
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

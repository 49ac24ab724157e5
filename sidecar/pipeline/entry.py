"""What the books of a call say of one attempt. Several may run at once; each has an entry of its own."""

from sidecar.core.attempt import Attempt
from sidecar.core.outcome import AttemptRecord, Reply, Usage


class Entry:
    """One attempt, from its beginning on. Whoever makes the attempt writes, nobody else."""

    __slots__ = ("attempt", "began", "chunks", "ended", "latency_s", "service_tier", "usage")

    def __init__(self, attempt: Attempt, began: float) -> None:
        self.attempt = attempt
        self.began = began
        self.usage: Usage | None = None
        """Its latest report."""
        self.service_tier = ""
        """The tier that served it, as far as the upstream has said."""
        self.chunks = 0
        """Messages of it that have gone to the caller."""
        self.ended: str | None = None
        """`OK`, `CANCELLED` or a Reason; None while it runs."""
        self.latency_s = 0.0
        """Known when it has ended."""

    def __repr__(self) -> str:
        return f"<Entry at {self.attempt.candidate.endpoint.project}: {self.ended or 'running'}>"

    def saw(self, reply: Reply) -> None:
        """Note what an answer or chunk reports of usage and tier; without any the last stays standing."""
        if reply.usage is not None:
            self.usage = reply.usage
        self.service_tier = reply.service_tier or self.service_tier

    def end(self, ended: str, now: float) -> None:
        """Note how it ended."""
        self.ended = ended
        self.latency_s = now - self.began

    def record(self, number: int, now: float, so_far: str) -> AttemptRecord:
        """The attempt, which is number so much of its call; while it runs as if it had ended `so_far` now."""
        attempt = self.attempt
        ended, latency_s = (so_far, now - self.began) if self.ended is None else (self.ended, self.latency_s)
        return AttemptRecord(number, attempt.candidate, ended, latency_s, attempt.grant.is_sent, attempt.kind)

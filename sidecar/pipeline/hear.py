"""What is noted of an answer, or a chunk of one, when it comes."""

from sidecar.core.outcome import Reply
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.stages import Stages


def hear(reply: Reply, entry: Entry, stages: Stages) -> None:
    """Note its usage in the books and, where there are several places to ask, who signed its thoughts."""
    entry.saw(reply)
    if entry.attempt.call.policy.has_choice:
        stages.signatures.note(reply.json, entry.attempt.candidate.endpoint.issuer)

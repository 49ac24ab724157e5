"""The stages a call passes, as the composition root chose them."""

from dataclasses import dataclass

from sidecar.core.ports import Audit, Cache, Identity, Limits, Pool, Transport
from sidecar.pipeline.gate import Gate
from sidecar.policy.signatures import Signatures


@dataclass(frozen=True, slots=True)
class Stages:
    """One set serves every call of a listener."""

    gate: Gate
    identity: Identity
    audit: Audit
    cache: Cache
    limits: Limits
    pool: Pool
    transport: Transport
    signatures: Signatures

"""Everything decided about a call before anybody upstream is asked."""

from typing import NamedTuple

from sidecar.core.audit import Occasion, denied
from sidecar.core.cached import Bypass
from sidecar.core.call import Call
from sidecar.core.errors import DENIALS
from sidecar.core.permit import Permit
from sidecar.core.ports import Hold
from sidecar.core.principal import Principal
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages
from sidecar.policy.candidates import Known
from sidecar.policy.rules import permit as decide


class Admission(NamedTuple):
    """Proof that identity, policy, cache and budgets were asked."""

    permit: Permit
    cached: Bypass
    hold: Hold


async def admit(call: Call, stages: Stages, journal: Journal) -> Admission:
    """Identity, policy, cache, budgets, in this order: no budget is touched for a caller who may not call.
    Raises SidecarError.
    """
    principal = None
    try:
        principal = await stages.identity.identify(call.arrival.evidence, call.policy)
        journal.principal = principal.id
        permit = decide(principal, call, _known(call, principal, stages))
    except DENIALS as refusal:
        stages.audit.record(denied(Occasion.of(call.arrival, call.model), principal, refusal))
        raise
    cached = await stages.cache.look_up(call, permit)
    hold = journal.hold = await journal.queued(stages.limits.hold(call, permit))
    return Admission(permit, cached, hold)


def _known(call: Call, principal: Principal, stages: Stages) -> Known:
    """What the Policy may want to know of a call beside what it says."""
    spent = stages.limits.spent(call, principal) if call.policy.watches_spend else 0.0
    return Known(spent, stages.signatures.issuers)

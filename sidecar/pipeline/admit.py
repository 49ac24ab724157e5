"""Everything decided about a call before anybody upstream is asked."""

from dataclasses import dataclass

from sidecar.core.cached import Bypass
from sidecar.core.call import Call
from sidecar.core.permit import Permit
from sidecar.core.ports import Hold
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages
from sidecar.policy.rules import permit as decide


@dataclass(frozen=True, slots=True)
class Admission:
    """Proof that identity, policy, cache and budgets were asked."""

    permit: Permit
    cached: Bypass
    hold: Hold


async def admit(call: Call, stages: Stages, journal: Journal) -> Admission:
    """Identity, policy, cache, budgets, in this order: no budget is touched for a caller who may not call.
    Raises SidecarError.
    """
    principal = await stages.identity.identify(call.arrival.evidence, call.policy)
    journal.principal = principal.id
    spent = stages.limits.spent(call, principal) if call.policy.watches_spend else 0.0
    permit = decide(principal, call, spent)
    cached = await stages.cache.look_up(call, permit)
    hold = journal.hold = await journal.queued(stages.limits.hold(call, permit))
    return Admission(permit, cached, hold)

"""Admission: the emulator's own quotas, answering as Google does.

Decides which quota of Google's catalogue stands for each exceeded limit, the delay in a refusal, and which
words each face of the API uses. What is used up is known by `quotas`, the words are in `quota_errors`.

A delay is the time until the call would fit. A day's quota says a short delay of no use, as Google's does;
spend says none; Vertex AI, whose capacity is shared, gives no details at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sidecar.emulator import quota_errors
from sidecar.emulator.clock import Instant
from sidecar.emulator.errors import ApiError
from sidecar.emulator.prices import Bill, cost
from sidecar.emulator.quota_errors import Quota
from sidecar.emulator.quota_plan import QuotaPlan
from sidecar.emulator.quotas import Dimension, Exceeded, Quotas
from sidecar.emulator.routes import Face

_DAY_DELAY_US = (18_000_000, 36_000_000)
"""Between these lies the useless delay of a day's quota."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a call counts for: requests (an embedding of several contents counts each) and its bill, which
    names the model."""

    requests: int
    bill: Bill
    embeds: bool = False


class Admission:
    """Admits calls under a plan; for one event loop."""

    def __init__(self, plan: QuotaPlan) -> None:
        self._plan = plan
        self._quotas = Quotas(plan)

    def __repr__(self) -> str:
        return f"<Admission {self._quotas!r}>"

    def project(self, caller: str) -> str:
        """Return the project whose quotas `caller` uses."""
        return self._plan.project(caller)

    def admit(self, project: str, hits: Hits, now: Instant) -> tuple[Exceeded, ...]:
        """Book the requests and input tokens of a call, or return the limits that it exceeds."""
        return self._quotas.admit(project, hits.bill.model, (hits.requests, hits.bill.prompt_tokens), now)

    def charge(self, project: str, hits: Hits, now: Instant) -> None:
        """Book what an admitted call costs."""
        self._quotas.charge(project, cost(hits.bill, now.wall_us), now)

    def quota_ids(self, project: str, exceeded: Sequence[Exceeded], hits: Hits) -> tuple[str, ...]:
        """Return Google's ids of the exceeded quotas; `Spend` stands for the one that has none."""
        tier = self._plan.allowance(project).tier
        return tuple(quota.quota_id if (quota := _quota(one, tier, hits)) else "Spend" for one in exceeded)

    def refusal(self, project: str, exceeded: Sequence[Exceeded], hits: Hits, face: Face) -> ApiError:
        """Return the 429 for a call of `project` that exceeds limits."""
        if face is not Face.DEVELOPER:
            return quota_errors.shared_capacity()
        tier = self._plan.allowance(project).tier
        quotas = [quota for one in exceeded if (quota := _quota(one, tier, hits))]
        if not quotas:
            return quota_errors.spend_exceeded()
        return quota_errors.quota_exceeded(quotas, hits.bill.model, Decimal(_delay_us(exceeded)) / 10**6)


def _delay_us(exceeded: Sequence[Exceeded]) -> int:
    if wait_us := max(one.wait_us for one in exceeded if one.dimension is not Dimension.SPEND):
        return wait_us
    # As good as any, the same for the same limit, and looking like Google's.
    low, high = _DAY_DELAY_US
    return low + exceeded[0].limit * 7_919_317 % (high - low)


def _quota(exceeded: Exceeded, tier: str, hits: Hits) -> Quota | None:
    """Return the quota of Google's that has this limit; None for spend."""
    find = _embedding_quota if hits.embeds else _generation_quota
    names = find(exceeded.dimension, tier)
    return Quota(*names, exceeded.limit) if names else None


def _generation_quota(dimension: Dimension, tier: str) -> tuple[str, str] | None:
    is_free = tier == "free"
    known = {
        Dimension.RPM: quota_errors.FREE_REQUESTS_PER_MINUTE if is_free else quota_errors.REQUESTS_PER_MINUTE,
        Dimension.RPD: quota_errors.FREE_REQUESTS_PER_DAY if is_free else quota_errors.REQUESTS_PER_DAY,
        Dimension.TPM: (
            quota_errors.FREE_INPUT_TOKENS_PER_MINUTE if is_free else quota_errors.INPUT_TOKENS_PER_MINUTE
        ),
    }
    quota = known.get(dimension)
    if quota is None:
        return None
    metric = quota.metric
    if dimension is Dimension.TPM and tier in ("2", "3"):
        metric = metric.replace("paid_tier", f"paid_tier_{tier}")
    return metric, quota.quota_id


def _embedding_quota(dimension: Dimension, tier: str) -> tuple[str, str] | None:
    # On the free tier these quotas count per user as well.
    is_free = tier == "free"
    scope = "PerUserPerProjectPerModel-FreeTier" if is_free else "PerProjectPerModel"
    metric = "embed_content_free_tier_" if is_free else "embed_content_"
    names = {
        Dimension.RPM: (metric + "requests", f"EmbedContentRequestsPerMinute{scope}"),
        Dimension.RPD: (metric + "requests", f"EmbedContentRequestsPerDay{scope}"),
        Dimension.TPM: (metric + "input_token_count", f"EmbedContentInputTokensPerMinute{scope}"),
    }
    return names.get(dimension)

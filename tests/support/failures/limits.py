"""What the limits of the Policy hold back."""

import grpc

from sidecar.core.errors import Reason
from sidecar.core.policy import Policy
from sidecar.core.quota import Limit, LimitGroup, Rolling, Unit
from tests.support import facts
from tests.support.failures.row import Row, Words
from tests.support.provoke import HELLO, NOBODY, Provocation, Scene, Stage
from tests.support.rpc import PATIENCE_S, REQUESTS, ask

_GROUP = f"quota/main/{facts.MODEL}"
_SHORT_S = 0.4


class _SomeDelay:
    def __repr__(self) -> str:
        return "a delay above zero and within a minute"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and 0 < other <= 61

    def __hash__(self) -> int:
        raise TypeError("a delay that is left open does not identify")


def _limited(base_url: str, *limits: Limit) -> Policy:
    group = LimitGroup(_GROUP, limits)
    return facts.policy(facts.gemini(base_url), quotas={("main", facts.MODEL, ""): group})


def _spent() -> Provocation:
    """A minute's only request has just been made."""

    async def provoke(stage: Stage) -> Scene:
        limit = Limit("requests_per_minute", Unit.REQUESTS, 1, Rolling(60))
        emulator = await stage.emulator()
        served = await stage.serving(_limited(emulator.base_url, limit))
        await ask(served.gemini, "Generate", REQUESTS["Generate"](**HELLO), timeout_s=PATIENCE_S)
        return Scene(served, HELLO, _SHORT_S)

    return provoke


def _never_fits() -> Provocation:
    """The prompt alone is above what a minute allows."""

    async def provoke(stage: Stage) -> Scene:
        limit = Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, 1, Rolling(60))
        return Scene(await stage.serving(_limited(NOBODY, limit)), HELLO, PATIENCE_S)

    return provoke


def _unanswered() -> Provocation:
    """Redis, which keeps the limits, cannot be reached."""

    async def provoke(stage: Stage) -> Scene:
        limit = Limit("requests_per_minute", Unit.REQUESTS, 100, Rolling(60))
        redis = {"addresses": [NOBODY.removeprefix("http://")]}
        served = await stage.serving(_limited(NOBODY, limit), limits={"scope": "redis"}, redis=redis)
        return Scene(served, HELLO, 1.5)

    return provoke


ROWS = [
    Row(
        "no room in a quota",
        _spent(),
        "requests_per_minute",
        code=grpc.StatusCode.RESOURCE_EXHAUSTED,
        reason=Reason.RATE_LIMITED,
        retry=_SomeDelay(),
        quotas=(
            {
                "subject": _GROUP,
                "description": Words("requests_per_minute allows 1"),
                "quota_metric": "requests",
                "quota_id": "requests_per_minute",
                "quota_value": "1",
            },
        ),
    ),
    Row(
        "a call that never fits",
        _never_fits(),
        "which allows 1 in all",
        code=grpc.StatusCode.RESOURCE_EXHAUSTED,
        reason=Reason.COST_EXCEEDS_LIMIT,
        quotas=(
            {
                "subject": _GROUP,
                "description": Words("input_tokens_per_minute allows 1"),
                "quota_metric": "input_tokens",
                "quota_id": "input_tokens_per_minute",
                "quota_value": "1",
            },
        ),
    ),
    Row(
        "limits that cannot be checked",
        _unanswered(),
        "limits cannot be checked now",
        code=grpc.StatusCode.UNAVAILABLE,
        reason=Reason.LIMITER_UNAVAILABLE,
        retry=2.0,
        is_safe=True,
    ),
]

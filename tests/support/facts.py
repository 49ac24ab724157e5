"""Builders of facts: each gives a well-formed one, and a test names only what it is about."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from sidecar.core.attempt import Attempt
from sidecar.core.audit import AuditRecord
from sidecar.core.call import Arrival, Body, Call, Json, Method
from sidecar.core.errors import (
    GrantLapsed,
    NoEndpoint,
    SidecarError,
    UpstreamCredentials,
    UpstreamUnavailable,
)
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import AttemptRecord, Outcome, Reply, Usage
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Api, Endpoint, Policy
from sidecar.core.principal import Principal
from sidecar.core.quota import Charge
from sidecar.core.secret import Secret
from sidecar.pipeline.settle import ended_by

API_KEY = "AIza-made-up-key"
CHARGE = Charge(requests=1, input_tokens=3, tokens=9, money=7, calls=0)
"""What every attempt on a FakeGrant costs."""
TODAY = date(2026, 11, 26)
MODEL = "gemini-3.8-flash"
HELLO: Json = {"contents": [{"parts": [{"text": "hi"}], "role": "user"}]}


def gemini(base_url: str = "https://gemini.test", **values: Any) -> Endpoint:
    """A project of the Developer API."""
    facts: dict[str, Any] = {"project": "main", "api_version": "v1beta", "keys": (Secret(API_KEY),), **values}
    return Endpoint(api=Api.GEMINI, base_url=base_url, **facts)


def vertex(base_url: str = "https://vertex.test", **values: Any) -> Endpoint:
    """A project of Vertex AI."""
    facts: dict[str, Any] = {
        "project": "cloud",
        "api_version": "v1",
        "cloud_project": "acme",
        "location": "europe-west4",
        **values,
    }
    return Endpoint(api=Api.VERTEX, base_url=base_url, **facts)


def policy(*endpoints: Endpoint, **values: Any) -> Policy:
    """A Policy of these endpoints, one Gemini project when none is named."""
    return Policy(**{"digest": "0" * 64, "endpoints": endpoints or (gemini(),), **values})


def permit(*endpoints: Endpoint, model: str = MODEL) -> Permit:
    """Leave to ask these endpoints, in this order."""
    candidates = tuple(Candidate(endpoint, model) for endpoint in endpoints or (gemini(),))
    return Permit(Principal("pod"), candidates)


def arrival(method: Method = Method.GENERATE, allowed_s: float = 60.0, **values: Any) -> Arrival:
    """A call that has just come in. Its deadline is on the running loop's clock, if one runs."""
    try:
        now = asyncio.get_running_loop().time()
    except RuntimeError:
        now = 0.0
    facts: dict[str, Any] = {
        "request_id": "req-1",
        "listener": "local",
        "received_at": 0.0,
        "deadline": now + allowed_s,
        **values,
    }
    return Arrival(method=method, allowed_s=allowed_s, **facts)


def call(method: Method = Method.GENERATE, body: Json | Body = HELLO, **values: Any) -> Call:
    """A call read and well-formed."""
    facts: dict[str, Any] = {
        "arrival": arrival(method),
        "model": "" if method is Method.LIST_MODELS else MODEL,
        "body": body if isinstance(body, Body) else Body(json=body, has_unknown_fields=False),
        "policy": policy(),
        **values,
    }
    return Call(**facts)


class FakeGrant:
    """A Grant that remembers what it was told."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.mode = LimitsMode.UNUSED
        self.is_sent = False
        self.sent_count = 0
        self.has_lapsed = False
        self.settled: list[tuple[str, Usage | None]] = []

    def __repr__(self) -> str:
        return f"<FakeGrant sent {self.sent_count} times, settled {self.settled}>"

    def sent(self) -> None:
        if self.has_lapsed:
            raise GrantLapsed("the lease ran out")
        self.is_sent = True
        self.sent_count += 1

    def settle(self, failure: BaseException | None, usage: Usage | None, chunks: int) -> Charge:
        self.settled.append((ended_by(failure), usage))
        return CHARGE


def attempt(
    endpoint: Endpoint | None = None,
    method: Method = Method.GENERATE,
    body: Json | Body = HELLO,
    **values: Any,
) -> Attempt:
    """A first attempt on a FakeGrant. `model` is the candidate's; other values are the call's."""
    candidate = Candidate(endpoint or gemini(), values.pop("model", MODEL))
    return Attempt(call(method, body, **values), FakeGrant(candidate))


def grant_of(attempt: Attempt) -> FakeGrant:
    """The FakeGrant of an attempt made here."""
    assert isinstance(attempt.grant, FakeGrant)
    return attempt.grant


def reply(text: str = "hello", *, finish: str | None = "STOP", usage: Usage | None = None) -> Reply:
    """An answer, or a chunk, of one candidate."""
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}}
    if finish:
        candidate["finishReason"] = finish
    return Reply(json={"candidates": [candidate]}, usage=usage)


class FakeHold:
    """A Hold that remembers how it was settled; its reservations are its limits'."""

    def __init__(self, limits: "FakeLimits") -> None:
        self.settled: list[Charge] = []
        self._limits = limits

    async def reserve(self, candidates: Sequence[Candidate]) -> FakeGrant:
        return await self._limits.reserved(candidates)

    def try_reserve(self, candidates: Sequence[Candidate]) -> FakeGrant | None:
        return self._limits.tried(candidates)

    def settle(self, charge: Charge) -> None:
        self.settled.append(charge)


class FakeLimits:
    """Limits that grant everything and remember each grant and hold; `refusal` is raised by reserve."""

    def __init__(self) -> None:
        self.holds: list[FakeHold] = []
        self.grants: list[FakeGrant] = []
        self.refusal: SidecarError | None = None
        self.share_spent = 0.0
        self.room = 1.0

    def headroom(self, call: Call, candidate: Candidate) -> float:
        return self.room

    async def hold(self, call: Call, permit: Permit) -> FakeHold:
        self.holds.append(FakeHold(self))
        return self.holds[-1]

    def spent(self, call: Call, principal: Principal) -> float:
        return self.share_spent

    async def reserved(self, candidates: Sequence[Candidate]) -> FakeGrant:
        if self.refusal is not None:
            raise self.refusal
        if not candidates:
            raise NoEndpoint("no candidate")
        self.grants.append(FakeGrant(candidates[0]))
        return self.grants[-1]

    def tried(self, candidates: Sequence[Candidate]) -> FakeGrant | None:
        if self.refusal is not None or not candidates:
            return None
        self.grants.append(FakeGrant(candidates[0]))
        return self.grants[-1]


class FakeTrip:
    """A Trip that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        """`content` once, then the word for the end, each time it is told."""

    def first_content(self) -> None:
        if "content" not in self.told:
            self.told.append("content")

    def ended(self, failure: BaseException | None) -> None:
        self.told.append(ended_by(failure))


class FakePool:
    """A Pool that ranks as the Permit does, those tried last, and remembers its trips.

    What was never sent is repeated at once, once at every candidate; `delays` are answered before that.
    """

    def __init__(self) -> None:
        self.trips: list[FakeTrip] = []
        self.refusals: list[SidecarError | None] = []
        """What `rank` raises, in turn; None: nothing that time."""
        self.full: list[str] = []
        """Projects at which the next grant finds no room, in turn."""
        self.delays: list[float | None] = []
        self.hedge_s: float | None = None
        self.hedges = 0
        """How many may still be taken."""

    def rank(self, call: Call, permit: Permit, tried: Sequence[AttemptRecord] = ()) -> tuple[Candidate, ...]:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        asked = [record.candidate for record in tried]
        return tuple(sorted(permit.candidates, key=asked.count))

    def has_room(self, candidate: Candidate) -> bool:
        is_full = self.full[:1] == [candidate.endpoint.project]
        del self.full[:is_full]
        return not is_full

    def began(self, attempt: Attempt) -> FakeTrip:
        self.trips.append(FakeTrip())
        return self.trips[-1]

    def retry(
        self, error: SidecarError, call: Call, permit: Permit, tried: Sequence[AttemptRecord]
    ) -> float | None:
        if self.delays:
            return self.delays.pop(0)
        is_safe = isinstance(error, UpstreamUnavailable | UpstreamCredentials) and not tried[-1].sent
        return 0.0 if is_safe and len(tried) < len(permit.candidates) else None

    def hedge_after(self, attempt: Attempt, tried: Sequence[AttemptRecord] = ()) -> float | None:
        return self.hedge_s

    def take_hedge(self, attempt: Attempt) -> bool:
        self.hedges -= 1
        return self.hedges >= 0


class FakeObserver:
    """An Observer that keeps what it is told."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.outcomes: list[Outcome] = []

    def arrived(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


class FakeAudit:
    """An Audit that keeps what it is told."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def record(self, record: AuditRecord) -> None:
        self.records.append(record)

"""Builders of the facts that an observer is told, and a scrape read back as figures."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from sidecar.core.call import Arrival, Method
from sidecar.core.errors import Reason
from sidecar.core.levels import (
    EstimateError,
    GroupState,
    LimitLevel,
    LimitsMode,
    LimitsReading,
    LimitState,
)
from sidecar.core.outcome import CANCELLED, OK, AttemptRecord, Outcome
from sidecar.core.permit import Candidate
from sidecar.core.policy import Api, Endpoint
from sidecar.core.quota import Limit, Rolling, Unit
from sidecar.core.secret import Secret
from sidecar.telemetry.instruments import Instruments

API_KEY = "AIza-made-up-key"
STATUS_NAMES = {OK: "OK", CANCELLED: "CANCELLED", **dict.fromkeys(Reason, "UNAVAILABLE")}


def arrival(method: Method = Method.GENERATE, request_id: str = "req-1") -> Arrival:
    return Arrival(request_id, method, listener="local", received_at=10.0, allowed_s=60.0, deadline=70.0)


def attempt(ended: str = OK, model: str = "gemini-2.5-flash", **values: Any) -> AttemptRecord:
    endpoint = Endpoint(
        project=values.pop("project", "main"),
        api=values.pop("api", Api.GEMINI),
        base_url="https://upstream.test",
        api_version="v1beta",
        keys=(Secret(API_KEY),),
    )
    facts = {"number": 1, "latency_s": 0.5, "sent": True, **values}
    return AttemptRecord(candidate=Candidate(endpoint, model), ended=ended, **facts)


def outcome(ended: str = OK, method: Method = Method.GENERATE, **values: Any) -> Outcome:
    facts: dict[str, Any] = {
        "arrival": arrival(method),
        "model": "flash",
        "principal": "pod",
        "message": "",
        "attempts": (),
        "answered": next(iter(values.get("attempts", ())[::-1]), None),
        "usage": None,
        "chunks": 0,
        "first_chunk_s": None,
        "duration_s": 0.75,
        "queued_s": 0.0,
        "cost": None,
        **values,
    }
    return Outcome(ended=ended, **facts)


RPM = Limit("requests_per_minute", Unit.REQUESTS, 2000, Rolling(60))


def group(
    name: str = "quota/main/flash", used: int = 1200, mode: LimitsMode = LimitsMode.NORMAL, **values: Any
) -> GroupState:
    """A group of one limit, of which the ledger has just told."""
    level = LimitLevel(used, held=5, available=1995 - used, amount=2000, factor=0.9)
    limit = LimitState(RPM, level, denials=3, shadow_denials=1)
    return GroupState(name, mode, (limit,), **{"age_ms": 250.0, **values})


READING = LimitsReading([group()], [EstimateError("flash", "input", 1.2, 0.9, 1.1, 1.9)])


class Figures:
    """The metrics of one sidecar as a scrape shows them."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    def text(self) -> str:
        return self._instruments.exposition("")[1].decode()

    def samples(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The samples of this exact name, by their sorted labels, those without a value left out."""
        return {
            tuple(sorted((label, value) for label, value in sample.labels.items() if value)): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name == name
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples(name).get(tuple(sorted(labels.items())))

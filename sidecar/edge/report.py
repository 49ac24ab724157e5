"""What the sidecar did for a call, as the reply tells it."""

from collections.abc import Mapping
from typing import cast

from sidecar.core import outcome
from sidecar.core.errors import Reason
from sidecar.core.outcome import CANCELLED, OK, QUEUED_LEAST_S, AttemptRecord
from sidecar.edge.status import CODES
from sidecar.pipeline.settle import Journal
from sidecar.v1.call_pb2 import AttemptKind, CallReport
from sidecar.v1.error_pb2 import ErrorReason
from sidecar.v1.quota_pb2 import LimitsMode
from sidecar.v1.usage_pb2 import ServiceTier


def fill(report: CallReport, journal: Journal, service_tier: str) -> None:
    """Fill the report of a call that is being answered."""
    report.request_id = journal.arrival.request_id
    for record in journal.attempts:
        _add(report, record)
    report.limits = cast(LimitsMode, int(journal.mode))
    if journal.queued_s >= QUEUED_LEAST_S:
        report.queue_time.FromNanoseconds(round(journal.queued_s * 1_000_000_000))
    if (served := journal.served) is not None:
        told = report.served
        told.project, told.location = served.endpoint.project, served.endpoint.location
        told.model = served.model
        if rewrites := served.rewrites:
            report.rewrites.extend(rewrites)
        if service_tier:
            told.service_tier = _TIERS.get(service_tier.upper(), _NO_TIER)


def fill_cost(report: CallReport, journal: Journal) -> None:
    """Fill in what the answer costs, if that is known; its usage must be complete."""
    if (cost := journal.cost()) is not None:
        report.cost.micro_dollars, report.cost.is_priced = cost


def of_failure(journal: Journal) -> CallReport | None:
    """The report of a call that has failed: what was attempted. None: nothing was."""
    if not (attempts := journal.attempts):
        return None
    report = CallReport()
    for record in attempts:
        _add(report, record)
    return report


def _add(report: CallReport, record: AttemptRecord) -> None:
    candidate, ended = record.candidate, record.ended
    attempt = report.attempts.add()  # fields as keywords would take twice as long
    attempt.number, attempt.kind = record.number, _KINDS[record.kind]
    attempt.project, attempt.location = candidate.endpoint.project, candidate.endpoint.location
    attempt.model = candidate.model
    if ended in (OK, CANCELLED):
        attempt.status = ended
    else:
        reason = Reason(ended)
        attempt.status, attempt.reason = CODES[reason].name, _REASONS[reason]
    seconds, nanos = divmod(round(record.latency_s * 1_000_000_000), 1_000_000_000)
    latency = attempt.latency
    latency.seconds, latency.nanos = seconds, nanos


_KINDS = {
    kind: cast(AttemptKind, AttemptKind.Value(f"ATTEMPT_KIND_{kind.name}")) for kind in outcome.AttemptKind
}
_REASONS = {reason: cast(ErrorReason, ErrorReason.Value(f"ERROR_REASON_{reason.name}")) for reason in Reason}
_NO_TIER = ServiceTier.SERVICE_TIER_UNSPECIFIED
_TIERS: Mapping[str, ServiceTier] = {
    name.removeprefix("SERVICE_TIER_"): cast(ServiceTier, ServiceTier.Value(name))
    for name in ServiceTier.keys()  # noqa: SIM118 - an enum wrapper is no dict
}

"""The emulated service: from an accepted call to the answer that will be played.

Decides whether a quota or a scripted fault comes before the good reply (see `prepare`), and in which order
delay, fault and deadline act. One instance serves one emulator; its state is the use of the quotas, the
caches and files, and how often faults with `times=` have struck.

Invariants: what is wrong with the request itself is told first, then an exceeded quota; a fault befalls only
calls that have a good reply and fit their quotas. Quotas judge calls in the order in which they come here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from sidecar.emulator.admission import Admission
from sidecar.emulator.answer import Answer, bounded, delayed
from sidecar.emulator.arrivals import Arrival, Verdict
from sidecar.emulator.caches import Caches
from sidecar.emulator.call import Call
from sidecar.emulator.clock import Clock, SystemClock
from sidecar.emulator.faults import Scope, find_fault
from sidecar.emulator.files import Files
from sidecar.emulator.prepare import Prepared, prepare
from sidecar.emulator.quota_plan import UNLIMITED, QuotaPlan
from sidecar.emulator.quotas import Exceeded
from sidecar.emulator.routes import Operation
from sidecar.emulator.storage import Storage

_SCOPES = {Operation.GENERATE: Scope.GENERATE, Operation.STREAM: Scope.STREAM}
_MAX_REMEMBERED = 4096


class Service:
    """Answers calls; not safe for use from several threads."""

    def __init__(self, plan: QuotaPlan = UNLIMITED, clock: Clock | None = None) -> None:
        self._admission = Admission(plan)
        self._clock = clock or SystemClock()
        self._storage = Storage(Caches(self._clock), Files(self._clock))
        self._struck: OrderedDict[tuple[str, str], int] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Service remembering {len(self._struck)} recurring faults>"

    def project(self, call: Call) -> str:
        """Return the project whose quotas `call` uses."""
        return self._admission.project(call.caller)

    def answer(self, call: Call) -> Answer:
        """Return the answer to `call`, to be played once; a quota's refusal is an answer too.

        Raises:
            ApiError: what is wrong with the call, before anything is played.
        """
        prepared = prepare(call, self.project(call), self._storage)
        fault = call.script.fault
        spoil = None if fault is None else find_fault(fault, _SCOPES.get(call.route.operation, Scope.ANY))
        arrival, exceeded = self._judge(call, prepared)
        scene, hits = prepared.scene, prepared.hits
        if exceeded and hits:
            error = self._admission.refusal(arrival.project, exceeded, hits, call.route.face)
            return replace(scene.error(error), arrival=arrival)
        if spoil and self._strikes(call):
            answer = spoil.answer(scene)
            arrival = replace(arrival, fault=fault or "")
        else:
            answer = scene.good()
            if hits:
                self._admission.charge(arrival.project, hits, arrival.at)
        answer = delayed(
            replace(answer, tier=prepared.tier, headers=prepared.headers), float(call.script.latency)
        )
        if call.server_timeout_s is not None:
            answer = bounded(answer, call.server_timeout_s, call.framing)
        return replace(answer, arrival=arrival)

    def _judge(self, call: Call, prepared: Prepared) -> tuple[Arrival, tuple[Exceeded, ...]]:
        """Count a call in its quotas, or find out which it exceeds."""
        now, project, hits = self._clock.now(), self.project(call), prepared.hits
        if hits is None:
            return Arrival(now, Verdict.UNMETERED, project, input_tokens=prepared.input_tokens), ()
        exceeded = self._admission.admit(project, hits, now)
        arrival = Arrival(
            now,
            Verdict.OVER_QUOTA if exceeded else Verdict.ADMITTED,
            project,
            hits.requests,
            prepared.input_tokens,
            self._admission.quota_ids(project, exceeded, hits),
        )
        return arrival, exceeded

    def _strikes(self, call: Call) -> bool:
        """Whether a scripted fault befalls this call: always, or the first `times` calls of the same kind."""
        if call.script.times is None:
            return True
        kind = (call.request_id, call.script.text)
        count = self._struck.pop(kind, 0)
        self._struck[kind] = count + 1
        if len(self._struck) > _MAX_REMEMBERED:
            self._struck.popitem(last=False)
        return count < call.script.times

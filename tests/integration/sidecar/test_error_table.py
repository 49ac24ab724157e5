"""Every way in which a call can fail, from its cause to what the caller's gRPC client holds in its hands.

The rows stand in `tests/support/failures`, by the stage at which the call fails; `tests/support/provoke` sets
the scenes.
"""

from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from sidecar.core.errors import Reason
from tests.support.failures import before, broken, interrupted, limits, quotas, refusals
from tests.support.provoke import Stage
from tests.support.rpc import REQUESTS, ask
from tests.support.sidecar import serving

ROWS = [*before.ROWS, *limits.ROWS, *quotas.ROWS, *refusals.ROWS, *broken.ROWS, *interrupted.ROWS]
CASES = [(row, rpc) for row in ROWS for rpc in row.rpcs]

UNPROVOKED = {Reason.INTERNAL}
"""What no caller and no upstream can bring about: INTERNAL is a defect of ours; `test_fuzz` hunts for one."""

pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def common():
    """One sidecar for all rows that need no other."""
    async with serving() as served:
        yield served


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("row", "rpc"), CASES, ids=[f"{row.name}-{rpc}" for row, rpc in CASES])
async def test_a_failure_reaches_the_caller_as_the_table_says(common, row, rpc, tmp_path):
    request_id = f"row.{ROWS.index(row)}"
    async with AsyncExitStack() as stack:
        scene = await row.by(Stage(common, stack, tmp_path))
        sidecar = scene.served.sidecar
        held = sidecar.gate.in_flight, sidecar.limits.open
        request = request_of(rpc, scene.fields)
        metadata = [("x-request-id", request_id), *scene.metadata]
        ended = await ask(scene.served.gemini, rpc, request, timeout_s=scene.timeout_s, metadata=metadata)
        assert (sidecar.gate.in_flight, sidecar.limits.open) == held
    attempts = ended.details.pop("CallReport", {}).get("attempts")
    assert seen(ended) == expected(row, request_id)
    assert row.says in ended.message
    if row.reason.startswith("UPSTREAM"):
        assert attempts, "what failed the call was an attempt"


def request_of(rpc, fields):
    """The request of `rpc` that has those of the fields which it knows."""
    message = REQUESTS[rpc]
    return message(**{key: fields[key] for key in fields.keys() & message.DESCRIPTOR.fields_by_name.keys()})


def expected(row, request_id):
    details = {
        "ErrorInfo": True,
        "RetryInfo": row.retry is not None,
        "BadRequest": row.fields,
        "QuotaFailure": row.quotas,
    }
    return {
        "code": row.code,
        "details": {kind for kind, is_there in details.items() if is_there},
        "domain": "gemini-sidecar",
        "reason": row.reason,
        "facts": row.facts | {"request_id": request_id},
        "retry": row.retry,
        "fields": row.fields,
        "quotas": list(row.quotas),
        "trailers": {"x-request-id": request_id} | ({"x-safe-retry": "1"} if row.is_safe else {}),
        "chunks": row.chunks,
    }


def seen(ended):
    violations = ended.details.get("BadRequest", {}).get("field_violations", [])
    return {
        "code": ended.code,
        "details": set(ended.details),
        "domain": ended.details.get("ErrorInfo", {}).get("domain"),
        "reason": ended.reason,
        "facts": ended.facts,
        "retry": ended.retry_after_s,
        "fields": {violation["field"]: violation["description"] for violation in violations},
        "quotas": ended.details.get("QuotaFailure", {}).get("violations", []),
        "trailers": {key: value for key, value in ended.trailers.items() if key.startswith("x-")},
        "chunks": len(ended.replies),
    }


def test_every_reason_is_provoked():
    assert {row.reason for row in ROWS} == set(Reason) - UNPROVOKED


def test_every_row_has_a_name_of_its_own():
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))

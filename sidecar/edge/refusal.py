"""How a call that failed is ended: the status of its error, and whether it may be repeated."""

import logging
from typing import NoReturn

import grpc

from sidecar.core.errors import SidecarError
from sidecar.edge import status
from sidecar.edge.context import REQUEST_ID, Context
from sidecar.edge.writer import gone_is_cancelled
from sidecar.v1.call_pb2 import CallReport

_SAFE_RETRY = "x-safe-retry"
_log = logging.getLogger(__name__)


async def refuse(
    context: Context,
    error: Exception,
    request_id: str,
    *,
    was_sent: bool,
    report: CallReport | None = None,
) -> NoReturn:
    """End the call with the status of `error`; `was_sent`: it may have reached the upstream; `report` tells
    what was attempted. Raises grpc's AbortError.
    """
    if isinstance(error, SidecarError):
        refusal = status.status_of(error, request_id, report)
    else:
        _log.error("unexpected failure of call %s", request_id, exc_info=error)
        refusal = status.internal(request_id)
    trailers = [*refusal.trailing_metadata, (REQUEST_ID, request_id)]
    if refusal.code is grpc.StatusCode.UNAVAILABLE and not was_sent:
        trailers.append(
            (_SAFE_RETRY, "1")
        )  # a proxy may repeat the call: nothing was sent upstream, nothing can be billed twice
    with gone_is_cancelled():
        await context.abort(refusal.code, refusal.details, tuple(trailers))

"""google.rpc details of an error as plain dicts, so that a test can say what it expects in one literal."""

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from sidecar.v1 import call_pb2

Details = dict[str, dict[str, Any]]
"""By type name, such as `ErrorInfo`; fields under their proto names."""

_TRAILER = "grpc-status-details-bin"
_TYPES: Mapping[str, type[Message]] = {
    "google.rpc.ErrorInfo": error_details_pb2.ErrorInfo,
    "google.rpc.RetryInfo": error_details_pb2.RetryInfo,
    "google.rpc.BadRequest": error_details_pb2.BadRequest,
    "google.rpc.QuotaFailure": error_details_pb2.QuotaFailure,
    "sidecar.v1.CallReport": call_pb2.CallReport,
}


def details(error: grpc.aio.AioRpcError | grpc.Status) -> Details:
    """All details, whether of an error that a client caught or of a status about to be sent."""
    metadata = (
        error.trailing_metadata() if isinstance(error, grpc.aio.AioRpcError) else error.trailing_metadata
    )
    return details_of(status_in(metadata or ()))


def status_in(metadata: Iterable[tuple[str, str | bytes]]) -> status_pb2.Status:
    """The google.rpc.Status among trailers; an empty one when there is none."""
    packed = next((value for key, value in metadata if key == _TRAILER), b"")
    return status_pb2.Status.FromString(packed if isinstance(packed, bytes) else packed.encode())


def details_of(status: status_pb2.Status) -> Details:
    """The details of a status. Fails for a type given twice or one that no error of ours carries."""
    found: Details = {}
    for packed in status.details:
        kind = _TYPES[packed.TypeName()]
        assert kind.__name__ not in found, f"{kind.__name__} is given twice"
        detail = kind.FromString(packed.value)
        found[kind.__name__] = MessageToDict(detail, preserving_proto_field_name=True)
    return found


def reason_of(error: grpc.aio.AioRpcError | grpc.Status) -> str:
    """`ErrorInfo.reason`; every error has one."""
    reason: str = details(error)["ErrorInfo"]["reason"]
    return reason

"""(Principal, Call) -> Permit, or PermissionDenied. Pure.

Whether the call is allowed, `authorization` says; where it may go, `candidates`.
"""

from sidecar.core.call import Call
from sidecar.core.errors import PermissionDenied, Reason
from sidecar.core.permit import Permit
from sidecar.core.principal import Principal
from sidecar.policy.authorization import authorize, only_allowed
from sidecar.policy.candidates import NOTHING_KNOWN, Known, ways_of


def permit(principal: Principal, call: Call, known: Known = NOTHING_KNOWN) -> Permit:
    """Decide on `call` by its own Policy snapshot and what else is known of it.

    Raises PermissionDenied; NoEndpoint when nobody serves the call; InvalidRequest when it must say whose
    what it refers to is.
    """
    authorize(principal, call)
    if call.body.has_unknown_fields and not call.policy.unknown_fields:
        raise PermissionDenied(
            "the request carries extra_json, but the Policy denies fields that the schema does not know; "
            "ask the platform team to set `unknown_fields: allow`",
            Reason.UNKNOWN_FIELDS_DENIED,
        )
    ways = ways_of(call, principal.tenant, known)
    return Permit(principal, only_allowed(principal, call, ways.candidates), ways.home)

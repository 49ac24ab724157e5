"""(Principal, Call) -> Permit, or PermissionDenied. Pure.

The Policy routes models: a listed model, or an alias of it, goes to the projects it names, in their order; an
unlisted one to every project, unless the Policy forbids unlisted models. Methods that name no model may ask
any project.
"""

from sidecar.core.call import Call
from sidecar.core.errors import NoEndpoint, PermissionDenied, Reason
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Policy
from sidecar.core.principal import Principal
from sidecar.policy.authorization import authorize


def permit(principal: Principal, call: Call) -> Permit:
    """Decide on `call` by its own Policy snapshot. Raises PermissionDenied, or NoEndpoint when nobody serves
    the model.
    """
    policy = call.policy
    authorize(principal, call)
    if call.body.has_unknown_fields and not policy.unknown_fields:
        raise PermissionDenied(
            "the request carries extra_json, but the Policy denies fields that the schema does not know; "
            "ask the platform team to set `unknown_fields: allow`",
            Reason.UNKNOWN_FIELDS_DENIED,
        )
    candidates = _candidates(policy, call.model)
    if not candidates:
        raise NoEndpoint(f"no project of the Policy serves model {call.model!r}")
    return Permit(principal, candidates)


def _candidates(policy: Policy, model: str) -> tuple[Candidate, ...]:
    route = policy.routes.get(model)
    if route is not None:
        by_name = {endpoint.project: endpoint for endpoint in policy.endpoints}
        return tuple(Candidate(by_name[project], route.model) for project in route.projects)
    if model and not policy.unlisted_models:
        raise PermissionDenied(f"model {model!r} is not listed in the Policy, which denies unlisted models")
    return tuple(Candidate(endpoint, model) for endpoint in policy.endpoints)

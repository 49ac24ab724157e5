"""Where alone a call makes sense, because of what it refers to. Pure.

Theory of operation. Files and caches of the Developer API belong to the project whose key made them, and no
name tells which; a cache of Vertex AI belongs to the cloud project and location in its name. `gs://`
addresses are read by Vertex AI alone. Thought signatures and continuation tokens are valid with their issuer:
the project on the Developer API, the cloud project on Vertex AI. Elsewhere Google answers 400, 403 or 404,
if it notices; so such a call is kept where it belongs, or refused with the reason.

Whose a handle is, is found out in this order: its name says it; the caller does (`project`, as an earlier
reply told it); one project alone can be it; the Policy does (`files: true`). Of signatures and tokens the
caller says it, or this process remembers its own replies. Those that nobody knows bind a call to nobody.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sidecar.core.call import Call
from sidecar.core.errors import FieldViolation, InvalidRequest, NoEndpoint
from sidecar.core.policy import Api, Endpoint, Policy
from sidecar.policy.handles import Handles

_VERTEX_CACHE = re.compile(r"projects/([^/]+)/locations/([^/]+)/cachedContents/")
_GOOGLE_FILE = re.compile(r"(https://generativelanguage\.googleapis\.com/\w+/)?files/")


class Bound(NamedTuple):
    """Where a call is at home."""

    projects: frozenset[str]
    why: str
    """What of the call is theirs, for the developer."""
    may_leave: bool = False
    """Whether others may serve it too, without its signatures."""
    is_mixed: bool = False
    """Whether some of its signatures are of others, so that it is stripped at home too."""


class _Claim(NamedTuple):
    """Who may have made something that a call refers to."""

    what: str
    owners: frozenset[str]
    """By project."""


def bound_of(call: Call, handles: Handles, issuers: tuple[str, ...]) -> Bound | None:
    """Where `call` is at home; None: anywhere. `issuers` gave out its signatures and its token, as far as
    known, the one of the latest first.

    Raises InvalidRequest when the call must say whose its handles are, or mixes signatures that nobody may
    strip; NoEndpoint when no project of the Policy can have made what it refers to.
    """
    policy = call.policy
    home = _issuer_named(call) or next(iter(issuers), "")
    claims = list(_claims(call, handles))
    may_leave = policy.strips_signatures and bool(handles.signatures) and not (claims or handles.token)
    if home:
        what = f"thought signatures of {home}" if handles.opaques else f"project {call.project}"
        claims.append(_Claim(what, _where(policy, lambda endpoint: endpoint.issuer == home)))
    if not claims:
        return None
    projects = frozenset.intersection(*(claim.owners for claim in claims))
    why = " and ".join(dict.fromkeys(claim.what for claim in claims))
    if not projects and not may_leave:
        raise NoEndpoint(f"no project of the Policy has what the call refers to: {why}")
    is_mixed = any(issuer != home for issuer in issuers)
    if is_mixed and not policy.strips_signatures:
        raise InvalidRequest(
            FieldViolation(
                "contents",
                f"carry thought signatures of several projects ({', '.join(sorted({home, *issuers}))}); "
                "leave out those of all but one, or ask the platform team to set `cross_issuer: strip`",
            )
        )
    return Bound(projects, why, may_leave, is_mixed)


def _issuer_named(call: Call) -> str:
    """The issuer of the project that the caller names."""
    if not call.project:
        return ""
    for endpoint in call.policy.endpoints:
        if endpoint.project == call.project:
            return endpoint.issuer
    raise InvalidRequest(
        FieldViolation("project", f"is no project of the Policy: {call.project!r}; take call.served.project")
    )


def _claims(call: Call, handles: Handles) -> Iterator[_Claim]:
    """What handles say of where they were made."""
    policy = call.policy
    if handles.cache:
        yield _Claim(f"cached content {handles.cache}", _makers_of_cache(call, handles.cache))
    for file in handles.files:
        if file.startswith("gs://"):
            if on_vertex := _where(policy, lambda endpoint: endpoint.api is Api.VERTEX):
                yield _Claim(f"file {file}", on_vertex)
        elif makers := _makers_of_file(policy, file):
            yield _Claim(f"file {file}", _one_of(call, makers, file))


def _makers_of_cache(call: Call, name: str) -> frozenset[str]:
    policy = call.policy
    if not (parts := _VERTEX_CACHE.match(name)):
        return _one_of(call, _where(policy, lambda endpoint: endpoint.api is Api.GEMINI), name)
    cloud_project, location = parts.groups()
    there = _where(policy, lambda endpoint: endpoint.api is Api.VERTEX and endpoint.location == location)
    if not cloud_project.isdecimal():
        return there & _where(policy, lambda endpoint: endpoint.cloud_project == cloud_project)
    # Google names cloud projects by their number, which no Policy has
    several = {endpoint.issuer for endpoint in policy.endpoints if endpoint.project in there}
    return there if len(several) <= 1 else _one_of(call, there, name)


def _makers_of_file(policy: Policy, uri: str) -> frozenset[str]:
    """The projects of the Developer API that may have made a file; none for an address of the web."""
    if _GOOGLE_FILE.match(uri):
        return _where(policy, lambda endpoint: endpoint.api is Api.GEMINI)
    return _where(
        policy,
        lambda endpoint: (
            endpoint.api is Api.GEMINI and uri.startswith(f"{endpoint.base_url}/") and "/files/" in uri
        ),
    )


def _one_of(call: Call, makers: frozenset[str], handle: str) -> frozenset[str]:
    """Who of several made a handle, as the caller or the Policy says."""
    if home := _issuer_named(call):
        return makers & _where(call.policy, lambda endpoint: endpoint.issuer == home)
    marked = makers & _where(call.policy, lambda endpoint: endpoint.holds_files)
    if len(makers) > 1 and not marked:
        raise InvalidRequest(
            FieldViolation(
                "project",
                f"is required: {handle} may be of {' or '.join(sorted(makers))}; name the project that made "
                "it, or ask the platform team to mark one of them with `files: true`",
            )
        )
    return marked or makers


def _where(policy: Policy, condition: Callable[[Endpoint], bool]) -> frozenset[str]:
    return frozenset(endpoint.project for endpoint in policy.endpoints if condition(endpoint))

"""Where a call is at home, by what it refers to, by what its caller says, and by what is remembered."""

from typing import Any

import pytest

from sidecar.core.errors import InvalidRequest, NoEndpoint
from sidecar.core.permit import Candidate
from sidecar.core.policy import Endpoint, ModelRoute
from sidecar.core.principal import Principal
from sidecar.policy.candidates import Known, ways_of
from sidecar.policy.handles import handles_of
from sidecar.policy.issuer import Bound, bound_of
from sidecar.policy.rules import permit
from tests.support import facts

A, B = facts.gemini(project="a"), facts.gemini(project="b")
MARKED = facts.gemini(project="marked", holds_files=True)
WEST, EAST = (facts.vertex(project=f"v-{name}", location=name) for name in ("west", "east"))
OTHER = facts.vertex(project="v-other", cloud_project="other", location="west")
WEST_CACHE = "projects/acme/locations/west/cachedContents/7"


def turn(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"contents": [{"parts": list(parts), "role": "model"}]}


def file(uri: str) -> dict[str, Any]:
    return turn({"fileData": {"fileUri": uri}})


SIGNED = turn({"text": "so", "thoughtSignature": "sig"})


def home(
    *endpoints: Endpoint, body: Any, project: str = "", issuers: tuple[str, ...] = (), strip: bool = False
) -> Bound | None:
    policy = facts.policy(*endpoints, strips_signatures=strip)
    return bound_of(facts.call(body=body, policy=policy, project=project), handles_of(body), issuers)


def at(*endpoints: Endpoint, **given: Any) -> set[str] | None:
    bound = home(*endpoints, **given)
    return None if bound is None else set(bound.projects)


@pytest.mark.parametrize(
    "body",
    [
        facts.HELLO,
        file("https://example.com/files/report.pdf"),
        file("https://www.youtube.com/watch?v=7"),
        SIGNED,
        {},
    ],
    ids=["text", "web page", "film", "signature of nobody known", "nothing"],
)
def test_what_nobody_of_ours_has_issued_binds_to_nobody(body: Any) -> None:
    assert at(A, B, WEST, body=body) is None


@pytest.mark.parametrize(
    ("endpoints", "cache", "projects"),
    [
        ((A, WEST), "cachedContents/7", {"a"}),
        ((A, MARKED, WEST), "cachedContents/7", {"marked"}),
        ((A, WEST, EAST, OTHER), WEST_CACHE, {"v-west"}),
        ((A, WEST, EAST), "projects/123456/locations/west/cachedContents/7", {"v-west"}),
    ],
)
def test_a_cache_is_where_its_name_says(
    endpoints: tuple[Endpoint, ...], cache: str, projects: set[str]
) -> None:
    assert at(*endpoints, body={"cachedContent": cache}) == projects


@pytest.mark.parametrize(
    ("endpoints", "uri", "projects"),
    [
        ((A, WEST), "files/7", {"a"}),
        ((A, WEST), "https://generativelanguage.googleapis.com/v1beta/files/7", {"a"}),
        ((A, MARKED), "files/7", {"marked"}),
        ((A, WEST, EAST), "gs://bucket/object", {"v-west", "v-east"}),
        ((A, B), "gs://bucket/object", None),
    ],
)
def test_a_file_is_where_its_address_says(
    endpoints: tuple[Endpoint, ...], uri: str, projects: set[str] | None
) -> None:
    assert at(*endpoints, body=file(uri)) == projects


def test_a_file_behind_a_base_url_of_its_own_is_of_its_project() -> None:
    one, two = (
        facts.gemini("https://one.test", project="one"),
        facts.gemini("https://two.test", project="two"),
    )
    assert at(one, two, body=file("https://two.test/v1beta/files/7")) == {"two"}


def test_files_in_every_place_count() -> None:
    answer = turn({"functionResponse": {"name": "f", "parts": [{"fileData": {"fileUri": "files/7"}}]}})
    assert at(A, WEST, body=answer) == {"a"}
    assert at(A, WEST, body={"systemInstruction": {"parts": [{"fileData": {"fileUri": "files/7"}}]}}) == {"a"}


@pytest.mark.parametrize("body", [{"cachedContent": "cachedContents/7"}, file("files/7")])
def test_who_of_several_has_it_must_be_said(body: Any) -> None:
    with pytest.raises(InvalidRequest) as error:
        at(A, B, WEST, body=body)
    (violation,) = error.value.violations
    assert violation.field == "project"
    assert "may be of a or b; name the project that made it" in violation.description
    assert "`files: true`" in violation.description
    assert at(A, B, WEST, body=body, project="b") == {"b"}


def test_the_caller_s_word_goes_before_the_mark_of_the_policy() -> None:
    assert at(A, MARKED, body=file("files/7"), project="a") == {"a"}


def test_a_numbered_cloud_project_is_told_apart_by_the_caller_alone() -> None:
    cache = {"cachedContent": "projects/123456/locations/west/cachedContents/7"}
    with pytest.raises(InvalidRequest, match="may be of v-other or v-west"):
        at(WEST, OTHER, body=cache)
    assert at(WEST, OTHER, body=cache, project="v-other") == {"v-other"}


@pytest.mark.parametrize(
    ("endpoints", "given", "why"),
    [
        ((A, B), {"body": {"cachedContent": WEST_CACHE}}, f"cached content {WEST_CACHE}"),
        ((A, WEST), {"body": {**file("gs://b/o"), "cachedContent": "cachedContents/7"}}, "and file gs://b/o"),
        ((A, WEST), {"body": file("gs://b/o"), "project": "a"}, "file gs://b/o and project a"),
        ((A, B), {"body": SIGNED, "issuers": ("gone",)}, "thought signatures of gone"),
    ],
)
def test_what_no_project_can_have_is_refused_by_name(
    endpoints: tuple[Endpoint, ...], given: dict[str, Any], why: str
) -> None:
    with pytest.raises(NoEndpoint) as error:
        at(*endpoints, **given)
    assert error.value.message.startswith("no project of the Policy has what the call refers to: ")
    assert why in error.value.message


def test_an_unknown_project_is_the_caller_s_mistake() -> None:
    with pytest.raises(InvalidRequest, match=r"'c'; take call\.served\.project"):
        at(A, B, body=facts.HELLO, project="c")


def test_signatures_are_at_home_with_their_issuer() -> None:
    assert at(A, B, WEST, body=SIGNED, issuers=("b",)) == {"b"}
    assert at(A, WEST, EAST, OTHER, body=SIGNED, issuers=("projects/acme",)) == {"v-west", "v-east"}
    assert at(A, WEST, EAST, OTHER, body=SIGNED, project="v-east") == {"v-west", "v-east"}


def test_the_caller_s_word_goes_before_memory() -> None:
    assert at(A, B, body=SIGNED, issuers=("b",), project="b") == {"b"}
    assert home(A, B, body=SIGNED, issuers=("b",), project="a", strip=True) == Bound(
        frozenset({"a"}), "thought signatures of a", may_leave=True, is_mixed=True
    )


def test_a_call_may_leave_only_when_the_policy_strips_and_signatures_alone_are_at_stake() -> None:
    def may_leave(body: Any, strip: bool = True) -> bool:
        bound = home(A, B, body=body, issuers=("b",), strip=strip, project="b")
        assert bound is not None
        return bound.may_leave

    assert may_leave(SIGNED)
    assert not may_leave(SIGNED, strip=False)
    assert not may_leave({**SIGNED, "cachedContent": "cachedContents/7"})
    assert not may_leave({**SIGNED, "continuationToken": "token"})
    assert not may_leave(facts.HELLO)


def test_signatures_of_several_issuers_are_refused_or_stripped() -> None:
    with pytest.raises(InvalidRequest, match=r"of several projects \(a, b\)"):
        home(A, B, body=SIGNED, issuers=("b", "a"))
    bound = home(A, B, body=SIGNED, issuers=("b", "a"), strip=True)
    assert bound is not None
    assert (bound.projects, bound.is_mixed) == ({"b"}, True)


# ------------------------------------------------------------------------------------------ as candidates


def ways(*endpoints: Endpoint, issuers: tuple[str, ...], strip: bool, **given: Any) -> tuple[Candidate, ...]:
    policy = facts.policy(*endpoints, strips_signatures=strip)
    call = facts.call(body=SIGNED, policy=policy, **given)
    known = Known(issuers=lambda opaques: issuers if opaques == ("sig",) else ())
    return ways_of(call, "", known).candidates


def test_a_bound_call_is_asked_at_home_alone() -> None:
    assert [one.endpoint for one in ways(A, B, issuers=("b",), strip=False)] == [B]


def test_a_call_that_may_leave_goes_home_first_and_without_signatures_elsewhere() -> None:
    assert ways(A, B, issuers=("b",), strip=True) == (
        Candidate(B, facts.MODEL, step=0),
        Candidate(A, facts.MODEL, step=1, strips_signatures=True),
    )


@pytest.mark.parametrize(
    ("endpoints", "strip", "home"),
    [((A, B), False, ("b",)), ((A, B), True, ()), ((B, WEST), False, ("b",))],
    ids=["bound", "may leave", "another API"],
)
def test_a_permit_tells_the_home_of_a_call_that_nobody_else_may_be_asked_for(
    endpoints: tuple[Endpoint, ...], strip: bool, home: tuple[str, ...]
) -> None:
    policy = facts.policy(*endpoints, strips_signatures=strip)
    known = Known(issuers=lambda opaques: ("b",))
    assert permit(Principal("pod", is_pod=True), facts.call(body=SIGNED, policy=policy), known).home == home


def test_a_call_whose_home_is_all_that_serves_its_model_is_not_told_so() -> None:
    policy = facts.policy(A, B, routes={"only-b": ModelRoute("m", ("b",))})
    call = facts.call(body=SIGNED, policy=policy, model="only-b", project="b")
    assert ways_of(call, "").home == ()


def test_mixed_signatures_are_stripped_at_home_too() -> None:
    assert ways(A, B, issuers=("b", "a"), strip=True) == (
        Candidate(B, facts.MODEL, step=0, strips_signatures=True),
        Candidate(A, facts.MODEL, step=1, strips_signatures=True),
    )


def test_whose_issuer_is_gone_may_still_leave() -> None:
    assert ways(A, issuers=("gone",), strip=True) == (Candidate(A, facts.MODEL),)
    assert ways(A, B, issuers=("gone",), strip=True)[0].strips_signatures


def test_a_home_that_does_not_serve_the_model_is_told() -> None:
    policy = facts.policy(A, B, routes={"only-a": ModelRoute("m", ("a",))})
    call = facts.call(body=SIGNED, policy=policy, model="only-a", project="b")
    with pytest.raises(NoEndpoint) as error:
        ways_of(call, "")
    assert error.value.message == (
        "no project of the Policy serves model 'only-a': "
        "a does not have what the call refers to, thought signatures of b"
    )

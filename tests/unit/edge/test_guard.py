import pytest

from sidecar.core.errors import PermissionDenied, Unauthenticated
from sidecar.core.principal import Principal
from tests.support import facts
from tests.unit.edge.fakes import FakeContext, guard
from tests.unit.identity.fakes import FakeVerifier

VERIFIER = FakeVerifier({"admin": ["sidecar.admin", "read"], "reader": ["read"], "nothing": []})


async def admitted(token: str = "", *, is_local: bool = True) -> Principal:
    context = FakeContext(authorization=f"Bearer {token}") if token else FakeContext()
    return await guard(VERIFIER, is_local=is_local).admit(context, "AdminService/Drain", "r")  # type: ignore[arg-type]


async def test_the_pod_administers_its_own_sidecar() -> None:
    assert (await admitted()).id == "pod"


@pytest.mark.parametrize("is_local", [True, False])
async def test_a_token_with_the_scope_administers_from_everywhere(is_local: bool) -> None:
    assert (await admitted("admin", is_local=is_local)).subject == "jwt:corp/alice"


@pytest.mark.parametrize("token", ["reader", "nothing"])
async def test_a_token_without_the_scope_narrows_even_the_pod(token: str) -> None:
    with pytest.raises(PermissionDenied, match=r"scope sidecar\.admin") as refusal:
        await admitted(token)
    assert refusal.value.metadata == {"scope": "sidecar.admin"}


async def test_a_replica_with_the_pods_name_administers_nobody_else() -> None:
    with pytest.raises(PermissionDenied):
        await admitted(is_local=False)


async def test_who_is_refused_is_written_down_and_who_is_not_is_not() -> None:
    audit = facts.FakeAudit()
    door = guard(VERIFIER, audit, name="envoy", is_local=False)
    with pytest.raises(Unauthenticated):
        await door.admit(FakeContext(authorization="Bearer made-up"), "AdminService/Drain", "r1")  # type: ignore[arg-type]
    with pytest.raises(PermissionDenied):
        await door.admit(FakeContext(), "QuotaService/GetQuota", "r2")  # type: ignore[arg-type]
    await door.admit(FakeContext(authorization="Bearer admin"), "AdminService/Drain", "r3")  # type: ignore[arg-type]
    unknown, refused = (record.facts for record in audit.records)
    assert (unknown["principal"], unknown["method"], unknown["reason"]) == (
        "",
        "AdminService/Drain",
        "UNAUTHENTICATED",
    )
    assert (refused["principal"], refused["listener"], refused["scope"]) == ("pod", "envoy", "sidecar.admin")
    assert "made-up" not in str(audit.records)

import pytest

from sidecar.core.errors import Unauthenticated
from sidecar.core.policy import Tenant
from sidecar.core.principal import Principal
from sidecar.core.secret import Secret
from sidecar.identity.bearer import Unverifiable
from sidecar.identity.local import LocalIdentity
from tests.support import facts
from tests.unit.identity.fakes import FakeVerifier

TENANTS = (Tenant("blue", frozenset({"spiffe://a/b"})), Tenant("red", frozenset({"pod", "other"})))


@pytest.mark.parametrize(("principal", "tenant"), [("pod", "red"), ("spiffe://a/b", "blue"), ("nobody", "")])
async def test_the_pod_is_whom_settings_say_and_in_the_tenant_that_policy_says(
    principal: str, tenant: str
) -> None:
    identity = LocalIdentity(principal, Unverifiable())
    found = await identity.identify((), facts.policy(tenants=TENANTS))
    assert found == Principal(principal, tenant, is_pod=True)
    assert found.is_unbounded_pod
    assert principal in repr(identity)


async def test_another_policy_may_name_another_tenant() -> None:
    identity = LocalIdentity("pod", Unverifiable())
    assert (await identity.identify((), facts.policy(tenants=TENANTS))).tenant == "red"
    assert (await identity.identify((), facts.policy())).tenant == ""


async def test_a_token_narrows_the_pod_and_makes_it_nobody_else() -> None:
    identity = LocalIdentity("pod", FakeVerifier({"t0ken": {"read"}}))
    evidence = (("authorization", Secret("bearer t0ken")),)
    found = await identity.identify(evidence, facts.policy())
    assert found == Principal("pod", is_pod=True, scopes=frozenset({"read"}), subject="jwt:corp/alice")
    assert not found.is_unbounded_pod


async def test_a_token_that_nobody_can_verify_is_refused() -> None:
    identity = LocalIdentity("pod", Unverifiable())
    with pytest.raises(Unauthenticated, match=r"identity\.issuers") as refusal:
        await identity.identify((("authorization", Secret("Bearer t0ken")),), facts.policy())
    assert "t0ken" not in str(refusal.value)

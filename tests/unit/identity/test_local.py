import pytest

from sidecar.core.policy import Tenant
from sidecar.core.principal import Principal
from sidecar.identity.local import LocalIdentity
from tests.support import facts

TENANTS = (Tenant("blue", frozenset({"spiffe://a/b"})), Tenant("red", frozenset({"pod", "other"})))


@pytest.mark.parametrize(("principal", "tenant"), [("pod", "red"), ("spiffe://a/b", "blue"), ("nobody", "")])
async def test_the_pod_is_whom_settings_say_and_in_the_tenant_that_policy_says(
    principal: str, tenant: str
) -> None:
    identity = LocalIdentity(principal)
    found = await identity.identify(facts.arrival(), facts.policy(tenants=TENANTS))
    assert found == Principal(principal, tenant)
    assert principal in repr(identity)

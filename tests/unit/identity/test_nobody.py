import pytest

from sidecar.core.errors import PermissionDenied
from sidecar.identity.nobody import NobodyIdentity
from tests.support import facts


async def test_nobody_is_let_in_and_the_refusal_names_the_listener() -> None:
    arrival = facts.arrival()
    with pytest.raises(PermissionDenied, match=f"'{arrival.listener}'"):
        await NobodyIdentity().identify(arrival, facts.policy())

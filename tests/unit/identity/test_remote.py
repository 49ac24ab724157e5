import pytest

from sidecar.core.errors import Unauthenticated
from sidecar.core.evidence import Evidence
from sidecar.core.policy import Tenant
from sidecar.core.principal import Principal
from sidecar.core.secret import Secret
from sidecar.identity.remote import EnvoyIdentity, MeshIdentity, Trust
from tests.support import facts
from tests.unit.identity.fakes import FakeVerifier

POD = "spiffe://corp/ns/ai/sa/gemini"
WEB = "spiffe://corp/ns/shop/sa/web"
TRUST = Trust(POD, "corp", FakeVerifier({"t0ken": ["read"]}))
POLICY = facts.policy(tenants=(Tenant("shop", frozenset({WEB, "jwt:corp/alice"})),))
ENVOY = EnvoyIdentity(TRUST)


def shown(certificate: str | None = None, token: str | None = None, **others: str) -> Evidence:
    values = {"x-forwarded-client-cert": certificate, "authorization": token, **others}
    return tuple((key, Secret(value)) for key, value in values.items() if value is not None)


def certified(spiffe_id: str) -> str:
    return f'By={POD};Hash=00;Subject="CN=x";URI={spiffe_id}'


async def test_behind_envoy_the_certificate_is_the_caller() -> None:
    assert await ENVOY.identify(shown(certified(WEB)), POLICY) == Principal(WEB, "shop")


async def test_a_replica_of_the_pod_has_the_pods_rights() -> None:
    found = await ENVOY.identify(shown(certified(POD)), POLICY)
    assert (found.id, found.is_pod, found.is_unbounded_pod) == (POD, True, True)


async def test_a_token_gives_scopes_and_changes_no_name() -> None:
    found = await ENVOY.identify(shown(certified(WEB), "Bearer t0ken"), POLICY)
    assert found == Principal(WEB, "shop", scopes=frozenset({"read"}), subject="jwt:corp/alice")


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        (shown(), "certificate_missing"),
        (shown(token="Bearer t0ken"), "certificate_missing"),
        (shown(certified(WEB) + "," + certified(WEB)), "certificate_malformed"),
        (shown(certified(WEB)) * 2, "certificate_malformed"),
        (shown(certified("spiffe://corp.evil/ns/shop/sa/web")), "trust_domain"),
        (shown(certified("spiffe://evil/ns/ai/sa/gemini")), "trust_domain"),
        (shown(certified(WEB), "Bearer other"), "token_signature"),
        (shown(certified(WEB), "Basic x"), "token_malformed"),
    ],
)
async def test_behind_envoy_whatever_else_proves_nothing(evidence: Evidence, cause: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await ENVOY.identify(evidence, POLICY)
    assert refusal.value.metadata == {"cause": cause}


async def test_without_a_trust_domain_nobody_is_accepted() -> None:
    with pytest.raises(Unauthenticated, match="trust domain"):
        await EnvoyIdentity(Trust("pod", "", TRUST.verifier)).identify(shown(certified(WEB)), POLICY)


async def test_the_policy_may_ask_for_a_token_beside_the_certificate() -> None:
    strict = facts.policy(asks_for_tokens=True)
    with pytest.raises(Unauthenticated, match="asks callers from outside") as refusal:
        await ENVOY.identify(shown(certified(WEB)), strict)
    assert refusal.value.metadata == {"cause": "token_missing"}
    assert (await ENVOY.identify(shown(certified(WEB), "Bearer t0ken"), strict)).id == WEB


async def test_a_replica_has_no_token_to_show_when_its_own_sidecar_is_not_well() -> None:
    strict = facts.policy(asks_for_tokens=True)
    assert (await ENVOY.identify(shown(certified(POD)), strict)).is_unbounded_pod


async def test_the_policy_may_ask_for_a_token_beside_the_meshs_word() -> None:
    identity = MeshIdentity(TRUST, "l5d-client-id")
    with pytest.raises(Unauthenticated) as refusal:
        await identity.identify(shown(**{"l5d-client-id": WEB}), facts.policy(asks_for_tokens=True))
    assert refusal.value.metadata == {"cause": "token_missing"}


async def test_on_the_mesh_a_token_alone_is_who_it_was_issued_for() -> None:
    found = await MeshIdentity(TRUST).identify(shown(token="Bearer t0ken"), POLICY)
    scopes = frozenset({"read"})
    assert found == Principal("jwt:corp/alice", "shop", scopes=scopes, subject="jwt:corp/alice")


@pytest.mark.parametrize("header", ["", "l5d-client-id"])
async def test_on_the_mesh_nothing_shown_is_nobody(header: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await MeshIdentity(TRUST, header).identify(shown(certified(WEB)), POLICY)
    assert refusal.value.metadata == {"cause": "token_missing"}


@pytest.mark.parametrize("name", [WEB, "web.shop.serviceaccount.identity.linkerd.cluster.local"])
async def test_the_meshs_header_names_the_caller(name: str) -> None:
    identity = MeshIdentity(TRUST, "l5d-client-id")
    found = await identity.identify(shown(**{"l5d-client-id": name}), POLICY)
    assert (found.id, found.is_pod, found.scopes) == (name, False, None)


async def test_the_meshs_header_may_be_that_of_envoy() -> None:
    identity = MeshIdentity(TRUST, "x-forwarded-client-cert")
    assert (await identity.identify(shown(certified(POD)), POLICY)).is_pod


async def test_a_name_that_is_no_spiffe_id_is_never_the_pod() -> None:
    identity = MeshIdentity(Trust("pod", "corp", TRUST.verifier), "l5d-client-id")
    assert not (await identity.identify(shown(**{"l5d-client-id": "pod"}), POLICY)).is_pod


@pytest.mark.parametrize(
    "name", ["", "a b", "jwt:corp/alice", "spiffe://evil/ns/shop/sa/web", "spiffe://corp"]
)
async def test_a_name_of_the_mesh_that_could_be_anothers_is_refused(name: str) -> None:
    identity = MeshIdentity(TRUST, "l5d-client-id")
    with pytest.raises(Unauthenticated):
        await identity.identify(shown(**{"l5d-client-id": name}), POLICY)


async def test_a_name_given_twice_is_refused() -> None:
    identity = MeshIdentity(TRUST, "l5d-client-id")
    with pytest.raises(Unauthenticated):
        await identity.identify(shown(**{"l5d-client-id": "web"}) * 2, POLICY)

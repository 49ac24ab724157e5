"""Tokens of Google credentials files, from a token service on loopback."""

import asyncio
import traceback
from pathlib import Path

import pytest

from sidecar.core.errors import SidecarError, UpstreamCredentials, UpstreamUnavailable
from sidecar.core.policy import Endpoint
from sidecar.upstream.credentials import Credentials
from tests.support import facts, google_account
from tests.support.upstream import Exchange, answers, head, plays, serving

pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")


def vertex(folder: Path, token_url: str) -> Endpoint:
    return facts.vertex(credentials_file=google_account.credentials_file(folder, token_url))


async def bearer(credentials: Credentials, endpoint: Endpoint) -> str:
    return (await credentials.headers(endpoint))["Authorization"].removeprefix("Bearer ")


async def test_a_key_needs_no_token_service() -> None:
    assert await Credentials().headers(facts.gemini()) == {"x-goog-api-key": facts.API_KEY}


async def test_a_project_without_a_key_sends_none() -> None:
    assert await Credentials().headers(facts.gemini(keys=())) == {}


async def test_a_fresh_token_is_used_again(tmp_path: Path) -> None:
    async with serving(google_account.grants("first"), google_account.grants("second")) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        assert [await bearer(credentials, endpoint) for _ in range(3)] == ["first"] * 3
        assert len(tokens.requests) == 1


@pytest.mark.parametrize(("status", "next_one"), [(401, "second"), (403, "first")])
async def test_a_token_that_is_not_accepted_is_not_shown_again(
    tmp_path: Path, status: int, next_one: str
) -> None:
    async with serving(google_account.grants("first"), google_account.grants("second")) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        refused = await credentials.headers(endpoint)
        assert not credentials.refuse(endpoint, refused, status), "there is no other yet"
        assert await bearer(credentials, endpoint) == next_one


async def test_callers_who_showed_the_same_bad_token_renew_it_once(tmp_path: Path) -> None:
    async with serving(google_account.grants("first"), google_account.grants("second")) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        refused = await credentials.headers(endpoint)
        credentials.refuse(endpoint, refused, 401)
        assert await bearer(credentials, endpoint) == "second"
        credentials.refuse(endpoint, refused, 401)
        assert await bearer(credentials, endpoint) == "second"
        assert len(tokens.requests) == 2


async def test_a_token_near_its_end_is_renewed(tmp_path: Path) -> None:
    """google-auth calls a token stale when it has less than 3:45 minutes to live."""
    dying = answers({"access_token": "dying", "expires_in": 60, "token_type": "Bearer"})
    async with serving(dying, google_account.grants("fresh")) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        assert await bearer(credentials, endpoint) == "dying"
        assert await bearer(credentials, endpoint) == "fresh"
        assert await bearer(credentials, endpoint) == "fresh"
        assert len(tokens.requests) == 2


async def test_a_token_near_its_end_serves_while_it_cannot_be_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    dying = answers({"access_token": "dying", "expires_in": 60, "token_type": "Bearer"})
    async with serving(dying, answers({"error": "server_error"}, 503)) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        assert [await bearer(credentials, endpoint) for _ in range(2)] == ["dying", "dying"]


@pytest.mark.parametrize("expired", [False, True], ids=["first", "renewal"])
async def test_callers_at_the_same_time_share_one_fetch(tmp_path: Path, expired: bool) -> None:
    dying = answers({"access_token": "dying", "expires_in": 60, "token_type": "Bearer"})
    scripts = [dying] if expired else []
    async with serving(*scripts, google_account.grants("shared")) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        if expired:
            await credentials.headers(endpoint)
        found = await asyncio.gather(*(bearer(credentials, endpoint) for _ in range(20)))
        assert found == ["shared"] * 20
        assert len(tokens.requests) == len(scripts) + 1


async def test_a_caller_who_leaves_takes_nothing_from_the_others(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await go.wait()
        await google_account.grants("late")(exchange)

    async with serving(slow) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        waiting = [asyncio.ensure_future(bearer(credentials, endpoint)) for _ in range(5)]
        await tokens.requested()
        waiting[0].cancel()
        await asyncio.wait({waiting[0]})
        go.set()
        assert await asyncio.gather(*waiting[1:]) == ["late"] * 4
        assert len(tokens.requests) == 1


async def test_two_places_of_one_account_have_a_token_each(tmp_path: Path) -> None:
    async with serving(google_account.grants("one"), google_account.grants("two")) as tokens:
        here = vertex(tmp_path, tokens.base_url)
        there = facts.vertex(location="us-central1", credentials_file=here.credentials_file)
        credentials = Credentials()
        assert [await bearer(credentials, here), await bearer(credentials, there)] == ["one", "two"]


async def test_forget_reads_the_file_anew(tmp_path: Path) -> None:
    async with (
        serving(google_account.grants("old account")) as old,
        serving(google_account.grants("new account")) as new,
    ):
        credentials, endpoint = Credentials(), vertex(tmp_path, old.base_url)
        await credentials.headers(endpoint)
        assert vertex(tmp_path, new.base_url) == endpoint, "the same file, written anew"
        assert await bearer(credentials, endpoint) == "old account"
        credentials.forget()
        assert await bearer(credentials, endpoint) == "new account"


async def test_an_account_that_google_refuses_is_the_operator_s_matter(tmp_path: Path) -> None:
    async with serving(google_account.refuses()) as tokens:
        with pytest.raises(UpstreamCredentials, match="project cloud: its Google credentials were refused"):
            await Credentials().headers(vertex(tmp_path, tokens.base_url))


async def test_a_refusal_is_not_kept(tmp_path: Path) -> None:
    async with serving(google_account.refuses(), google_account.grants("mended")) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        with pytest.raises(UpstreamCredentials):
            await credentials.headers(endpoint)
        assert await bearer(credentials, endpoint) == "mended"


async def test_a_token_service_that_fails_may_be_asked_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    async with serving(answers({"error": "server_error"}, 503)) as tokens:
        with pytest.raises(UpstreamUnavailable, match="token service failed"):
            await Credentials().headers(vertex(tmp_path, tokens.base_url))


async def test_a_metadata_server_that_hangs_up_may_be_asked_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Google Cloud tokens come from the metadata server, which google-auth finds by asking for it."""

    async def metadata(exchange: Exchange) -> None:
        if "service-accounts" in exchange.request.target:
            exchange.close()
        else:
            exchange.send(
                head(metadata_flavor="Google", content_type="text/plain", content_length=4) + b"acme"
            )

    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", "nowhere")
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    async with serving(metadata) as server:
        address = server.base_url.removeprefix("http://")
        monkeypatch.setenv("GCE_METADATA_IP", address)
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", address)
        with pytest.raises(UpstreamUnavailable, match="token service cannot be reached"):
            await Credentials().headers(facts.vertex())
        assert any("service-accounts" in request.target for request in server.requests)


async def test_a_token_service_that_hangs_up_may_be_asked_later(tmp_path: Path) -> None:
    async with serving(plays(then="close")) as tokens:
        with pytest.raises(UpstreamUnavailable, match="token service cannot be reached"):
            await Credentials().headers(vertex(tmp_path, tokens.base_url))


async def test_a_token_service_that_is_not_there_may_be_asked_later(tmp_path: Path) -> None:
    async with serving() as tokens:
        gone = tokens.base_url
    with pytest.raises(UpstreamUnavailable, match="token service cannot be reached"):
        await Credentials().headers(vertex(tmp_path, gone))


async def test_an_answer_without_a_token_is_refused(tmp_path: Path) -> None:
    async with serving(answers({"token_type": "Bearer"})) as tokens:
        with pytest.raises(SidecarError):
            await Credentials().headers(vertex(tmp_path, tokens.base_url))


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "not JSON",
        "{}",
        '{"type": "service_account"}',
        '{"type": "unheard_of"}',
        '{"type": "service_account", "client_email": "a@b", "token_uri": "http://x", "private_key": "no"}',
    ],
    ids=["missing", "empty", "no-json", "no-type", "no-fields", "unknown-type", "bad-key"],
)
async def test_a_credentials_file_of_no_use_is_the_operator_s_matter(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "account.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UpstreamCredentials, match="project cloud"):
        await Credentials().headers(facts.vertex(credentials_file=path))


async def test_the_quota_project_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "billing")
    async with serving(google_account.grants("t")) as tokens:
        headers = await Credentials().headers(vertex(tmp_path, tokens.base_url))
    assert headers == {"Authorization": "Bearer t", "x-goog-user-project": "billing"}


async def test_default_credentials_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(google_account.grants("default")) as tokens:
        file = google_account.credentials_file(tmp_path, tokens.base_url)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        assert await bearer(Credentials(), facts.vertex()) == "default"


async def test_neither_token_nor_key_is_ever_shown(tmp_path: Path) -> None:
    async with serving(google_account.grants("ya29.secret"), google_account.refuses()) as tokens:
        credentials, endpoint = Credentials(), vertex(tmp_path, tokens.base_url)
        await credentials.headers(endpoint)
        assert repr(credentials) == "<Credentials with tokens of ['cloud']>"
        credentials.forget()
        with pytest.raises(UpstreamCredentials) as error:
            await credentials.headers(endpoint)
    shown = "".join(traceback.format_exception(error.value))
    assert "ya29.secret" not in shown
    assert "PRIVATE KEY" not in shown
    assert "eyJ" not in shown, "no signed assertion"

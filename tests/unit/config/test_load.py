"""Where values come from, which of them wins, and what a whole configuration holds."""

from pathlib import Path

import pytest

from sidecar.config.faults import ConfigError
from sidecar.config.load import Configuration, Flags, load
from sidecar.config.settings import Settings
from sidecar.config.sources import Flag, setting_names
from sidecar.core.policy import Api
from tests.unit.config.builders import KEY, SCOPE, Folder

ENVIRON = {"SIDECAR_LIMITS_SCOPE": "process", "GEMINI_API_KEY": KEY}
LIMIT = Flag("drain", "limit", "1s", "--drain-limit")


def drain_limit(configuration: Configuration) -> float:
    return configuration.settings.drain.limit


def test_the_defaults_are_those_of_the_documentation(folder: Folder) -> None:
    settings = folder.load().settings
    assert settings.listen.address == "127.0.0.1:50051"
    assert (settings.listen.host, settings.listen.port) == ("127.0.0.1", 50051)
    assert settings.listen.message_limit == 32 << 20
    assert settings.deadline.default == 600
    assert settings.deadline.margin == 0.1
    assert settings.upstream.connect_timeout == 5
    assert (settings.telemetry.host, settings.telemetry.port) == ("127.0.0.1", 9464)
    assert settings.identity.principal == "pod"


def test_the_file_wins_over_the_default(folder: Folder) -> None:
    assert drain_limit(folder.load("drain: {limit: 3s}")) == 3


def test_the_environment_wins_over_the_file(folder: Folder) -> None:
    assert drain_limit(folder.load("drain: {limit: 3s}", {**ENVIRON, "SIDECAR_DRAIN_LIMIT": "2s"})) == 2


def test_a_flag_wins_over_the_environment_and_the_file(folder: Folder) -> None:
    file = folder.write("sidecar.yaml", "drain: {limit: 3s}")
    configuration = load(Flags((LIMIT,), file), {**ENVIRON, "SIDECAR_DRAIN_LIMIT": "2s"})
    assert drain_limit(configuration) == 1


def test_a_refused_value_that_is_covered_by_a_better_one_is_no_fault(folder: Folder) -> None:
    assert drain_limit(folder.load("drain: {limit: never}", {**ENVIRON, "SIDECAR_DRAIN_LIMIT": "2s"})) == 2


def test_the_variable_names_the_file_and_the_flag_wins_over_it(folder: Folder) -> None:
    by_variable = folder.write("variable.yaml", "drain: {limit: 4s}")
    by_flag = folder.write("flag.yaml", "drain: {limit: 5s}")
    environ = {**ENVIRON, "SIDECAR_CONFIG": str(by_variable)}
    assert drain_limit(load(Flags(), environ)) == 4
    assert drain_limit(load(Flags((), by_flag), environ)) == 5


@pytest.mark.parametrize(
    ("flags", "environ", "path", "source"),
    [
        (Flags((SCOPE,), Path("/nowhere.yaml")), {}, "--config", "flag"),
        (Flags((SCOPE,)), {"SIDECAR_CONFIG": "/nowhere.yaml"}, "SIDECAR_CONFIG", "environment"),
    ],
)
def test_a_file_that_is_not_there_is_blamed_on_who_named_it(
    flags: Flags, environ: dict[str, str], path: str, source: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(flags, environ)
    (fault,) = raised.value.faults
    assert (fault.path, fault.value, fault.source) == (path, "'/nowhere.yaml'", source)


def test_a_group_whose_keys_are_all_commented_out_has_its_defaults(folder: Folder) -> None:
    assert drain_limit(folder.load("drain:\n  # limit: 1s\n")) == 25


def test_every_setting_has_one_variable_of_its_own() -> None:
    names = setting_names()
    assert len(set(names.values())) == len(names)
    assert names["SIDECAR_UPSTREAM_CONNECT_TIMEOUT"] == ("upstream", "connect_timeout")
    assert {group for group, _ in names.values()} == set(Settings.model_fields)


def test_empty_variables_switch_optional_things_off(folder: Folder) -> None:
    off = {"SIDECAR_TELEMETRY_ADDRESS": "", "SIDECAR_LISTEN_SOCKET": "", "SIDECAR_POLICY_FILE": ""}
    settings = folder.load("", {**ENVIRON, **off}).settings
    assert (settings.telemetry.address, settings.listen.socket, settings.policy.file) == (None, None, None)
    assert (settings.telemetry.host, settings.telemetry.port) == ("", 0)


def test_without_a_policy_file_the_environment_gives_one_gemini_project(folder: Folder) -> None:
    policy = folder.load().policy
    assert policy is not None
    (endpoint,) = policy.endpoints
    assert (endpoint.project, endpoint.api, endpoint.api_version) == ("default", Api.GEMINI, "v1beta")
    assert endpoint.base_url == "https://generativelanguage.googleapis.com"
    assert [key.reveal() for key in endpoint.keys] == [KEY]


def test_of_two_keys_in_the_environment_the_one_that_google_s_sdk_takes_is_taken(folder: Folder) -> None:
    policy = folder.load("", {**ENVIRON, "GOOGLE_API_KEY": " first \n"}).policy
    assert policy is not None
    assert [key.reveal() for key in policy.endpoints[0].keys] == ["first"]


def test_with_the_emulator_the_policy_is_made_when_its_url_is_known(folder: Folder) -> None:
    configuration = folder.load("", {"SIDECAR_LIMITS_SCOPE": "process"}, emulator=True)
    assert configuration.policy is None
    with pytest.raises(ValueError, match="start the emulator first"):
        configuration.policy_source(lambda _: None)
    (endpoint,) = configuration.policy_source(lambda _: None, "http://127.0.0.1:8081").current.endpoints
    assert (endpoint.project, endpoint.api) == ("emulator", Api.GEMINI)
    assert endpoint.base_url == "http://127.0.0.1:8081"


def test_the_emulator_and_a_policy_file_exclude_each_other(folder: Folder) -> None:
    with pytest.raises(ConfigError) as raised:
        folder.load("policy: {file: /any.yaml}", ENVIRON, emulator=True)
    (fault,) = raised.value.faults
    assert (fault.path, fault.value) == ("policy.file", "'/any.yaml'")
    assert "gemini-sidecar emulate" in fault.remedy


async def test_a_policy_of_the_environment_is_never_reloaded(folder: Folder) -> None:
    source = folder.load().policy_source(lambda _: pytest.fail("nothing to reload"))
    await source.watch()
    assert not await source.refresh()


def test_settings_do_not_change(folder: Folder) -> None:
    settings = folder.load().settings
    with pytest.raises(ValueError, match="frozen"):
        settings.drain.limit = 1.0

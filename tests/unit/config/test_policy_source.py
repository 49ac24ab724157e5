"""Hot reload: what is in force after a file has changed, and who is told."""

import asyncio
from pathlib import Path

import pytest

from sidecar.config.load import Flags, load
from sidecar.config.policy_source import PolicySource, Reload
from sidecar.config.sources import Flag
from sidecar.core.policy import Policy
from tests.unit.config.builders import SCOPE

POLICY = """
projects: [{{name: {name}, api: gemini, key: {{file: {key}}}}}, {{name: eu, api: vertex, project: p, {more}}}]
"""


class Mounted:
    """A Policy with its key file and credentials file, and a source that watches them."""

    def __init__(self, folder: Path) -> None:
        self.file, self.key, self.credentials = folder / "policy.yaml", folder / "key", folder / "sa.json"
        self.told: list[Reload] = []
        self.key.write_text("first-key")
        self.credentials.write_text('{"type": "service_account"}')
        self.write("main")
        self.source = self.open(self.file)

    def open(self, file: Path, *flags: Flag) -> PolicySource:
        named = Flag("policy", "file", str(file), "--policy")
        return load(Flags((SCOPE, named, *flags)), {}).policy_source(self.told.append)

    def write(self, name: str) -> None:
        more = f"credentials: {{file: {self.credentials}}}"
        self.file.write_text(POLICY.format(name=name, key=self.key, more=more))


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path)


def name_of(policy: Policy) -> str:
    return policy.endpoints[0].project


def key_of(policy: Policy) -> str:
    (key,) = policy.endpoints[0].keys
    return key.reveal()


async def test_without_a_change_nothing_is_read_again(mounted: Mounted) -> None:
    before = mounted.source.current
    assert not await mounted.source.refresh()
    assert mounted.source.current is before
    assert mounted.told == []


async def test_a_changed_file_replaces_the_policy_as_a_whole(mounted: Mounted) -> None:
    before = mounted.source.current
    mounted.write("other")
    assert await mounted.source.refresh()
    assert name_of(mounted.source.current) == "other"
    assert name_of(before) == "main"  # who holds the old one keeps it
    assert mounted.told == [Reload(mounted.source.current, ())]


async def test_a_file_that_was_only_touched_changes_nothing(mounted: Mounted) -> None:
    before = mounted.source.current
    mounted.file.write_text(mounted.file.read_text() + "# a remark\n")
    assert not await mounted.source.refresh()
    assert mounted.source.current is before
    assert mounted.told == []


async def test_a_bad_file_keeps_the_old_policy_and_is_told_once(mounted: Mounted) -> None:
    before = mounted.source.current
    mounted.file.write_text("projects: []")
    assert not await mounted.source.refresh()
    assert not await mounted.source.refresh()
    (told,) = mounted.told
    assert told.policy is mounted.source.current is before
    assert [fault.path for fault in told.faults] == ["projects"]


async def test_a_bad_file_that_is_restored_ends_the_alarm(mounted: Mounted) -> None:
    text = mounted.file.read_text()
    mounted.file.write_text("projects: [")
    await mounted.source.refresh()
    assert "last reload refused" in repr(mounted.source)
    mounted.file.write_text(text)
    assert not await mounted.source.refresh()
    assert mounted.told[-1] == Reload(mounted.source.current, ())
    assert "current" in repr(mounted.source)


async def test_a_removed_file_keeps_the_old_policy_until_it_is_back(mounted: Mounted) -> None:
    mounted.file.unlink()
    assert not await mounted.source.refresh()
    assert [fault.path for fault in mounted.told[-1].faults] == ["policy.file"]
    mounted.write("back")
    assert await mounted.source.refresh()
    assert name_of(mounted.source.current) == "back"


async def test_a_rotated_key_makes_a_new_policy(mounted: Mounted) -> None:
    digest = mounted.source.current.digest
    mounted.key.write_text("second-key")
    assert await mounted.source.refresh()
    assert key_of(mounted.source.current) == "second-key"
    assert mounted.source.current.digest != digest


async def test_a_key_file_that_is_emptied_keeps_the_old_key(mounted: Mounted) -> None:
    mounted.key.write_text("")
    assert not await mounted.source.refresh()
    assert key_of(mounted.source.current) == "first-key"
    assert [fault.path for fault in mounted.told[-1].faults] == ["projects[0].key.file"]


async def test_rotated_google_credentials_make_a_new_policy(mounted: Mounted) -> None:
    mounted.credentials.write_text('{"type": "service_account", "private_key_id": "2"}')
    assert await mounted.source.refresh()


async def test_the_swap_of_a_mounted_volume_is_seen(mounted: Mounted, tmp_path: Path) -> None:
    """As the kubelet does it: `policy.yaml -> ..data/policy.yaml`, and `..data` is renamed over."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        mounted.write(version)
        mounted.file.rename(tmp_path / version / "policy.yaml")
    (tmp_path / "..data").symlink_to("one")
    mounted.file.symlink_to("..data/policy.yaml")
    source = mounted.open(mounted.file)
    assert name_of(source.current) == "one"

    (tmp_path / "..data_tmp").symlink_to("two")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert await source.refresh()
    assert name_of(source.current) == "two"


async def test_watching_refreshes_until_it_is_cancelled(mounted: Mounted) -> None:
    replaced = asyncio.Event()
    named = Flag("policy", "file", str(mounted.file), "--policy")
    poll = Flag("policy", "poll", "1ms", "--policy-poll")
    source = load(Flags((SCOPE, named, poll)), {}).policy_source(lambda _: replaced.set())
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        watching = group.create_task(source.watch())
        mounted.write("other")
        await replaced.wait()
        watching.cancel()
    assert name_of(source.current) == "other"
    assert watching.cancelled()

"""Load a whole configuration, or say all that is wrong with it.

The one entry for every verb that needs one: `check` prints what `serve` would run with. Flags win over the
environment, the environment over the settings file, that file over the defaults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sidecar.config.document import SIZE_MAX_BYTES, Document, read_document
from sidecar.config.faults import ConfigError, Fault, Unacceptable, shown
from sidecar.config.files import FileReader
from sidecar.config.policy import Reading, emulator_policy, environment_policy, read_policy
from sidecar.config.policy_source import OnReload, PolicyFiles, PolicySource
from sidecar.config.references import Sources
from sidecar.config.settings import Settings
from sidecar.config.sources import CONFIG_VARIABLE, Flag, merge
from sidecar.config.validation import Raw, validate
from sidecar.core.policy import Policy

_POLICY_FILE = ("policy", "file")


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says."""

    values: tuple[Flag, ...] = ()
    config: Path | None = None
    """The settings file; None: the one that SIDECAR_CONFIG names, if any."""
    emulator: bool = False
    """Whether models are to be played by an emulator that is yet to be started."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that a process runs with, checked."""

    settings: Settings
    policy: Policy | None
    """None exactly when an emulator is asked for: its URL is known only when it runs."""
    files: PolicyFiles | None = None
    """The files behind `policy`, to be watched."""

    def policy_source(self, on_reload: OnReload, emulator_url: str | None = None) -> PolicySource:
        """The Policy in force, to be watched. `emulator_url` is needed exactly when `policy` is None."""
        if self.policy is not None:
            return PolicySource(self.policy, on_reload, self.files)
        if emulator_url is None:
            raise ValueError("the emulator's base URL is missing: start the emulator first")
        return PolicySource(emulator_policy(emulator_url), on_reload)


def load(flags: Flags, environ: Mapping[str, str]) -> Configuration:
    """Read everything and check everything. Raises ConfigError with all faults of settings and Policy."""
    document = _settings_document(flags, environ)
    raw, settings, faults = _settings(document, flags, environ)
    read = _policy_reader(flags, environ, raw, document.whole)
    reading = read()
    faults += reading.faults
    if settings is None or faults:
        raise ConfigError(faults)
    files = PolicyFiles(read, reading.seen, settings.policy.poll) if reading.seen else None
    return Configuration(settings, reading.policy, files)


def load_settings(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Read and check the settings alone, for verbs that ask no model. Raises ConfigError."""
    _, settings, faults = _settings(_settings_document(flags, environ), flags, environ)
    if settings is None or faults:
        raise ConfigError(faults)
    return settings


def _settings(
    document: Document, flags: Flags, environ: Mapping[str, str]
) -> tuple[Raw, Settings | None, list[Fault]]:
    raw, faults = merge(document, environ, flags.values)
    if not document.whole:  # what is missing in half a file may stand in its other half
        return raw, None, faults
    settings, refused = validate(Settings, raw, Sources(environ, FileReader()))
    return raw, settings, faults + refused


def _settings_document(flags: Flags, environ: Mapping[str, str]) -> Document:
    named = environ.get(CONFIG_VARIABLE, "")
    path = flags.config or (Path(named) if named else None)
    if path is None:
        return Document("")
    try:
        return read_document(FileReader().read(path, SIZE_MAX_BYTES), str(path))
    except Unacceptable as refusal:
        named_by, source = ("--config", "flag") if flags.config else (CONFIG_VARIABLE, "environment")
        fault = Fault(named_by, shown(str(path)), refusal.reason, refusal.remedy, source)
        return Document(str(path), faults=(fault,), whole=False)


def _policy_reader(
    flags: Flags, environ: Mapping[str, str], raw: Raw, is_whole: bool
) -> Callable[[], Reading]:
    """How to read the Policy. Asked of the raw tree: its faults belong in one list with those of settings."""
    file = raw.at(_POLICY_FILE)
    if flags.emulator:
        return partial(Reading, None, (_emulator_and_file(raw),) if file else (), {})
    if isinstance(file, str) and file:
        return partial(read_policy, Path(file), environ, raw.origin(_POLICY_FILE))
    if file or not is_whole:  # where the Policy is, is not known
        return partial(Reading, None, (), {})
    return partial(environment_policy, environ)


def _emulator_and_file(raw: Raw) -> Fault:
    return raw.fault(
        _POLICY_FILE,
        "is named together with --emulator, which has a Policy of its own",
        "drop one of them; or run `gemini-sidecar emulate` and name its URL as a project's base_url",
    )

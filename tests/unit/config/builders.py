"""Builders of configurations: files in a temporary folder, and never the environment of the process."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.config.faults import ConfigError, Fault
from sidecar.config.load import Configuration, Flags, load
from sidecar.config.policy import Reading, read_policy
from sidecar.config.sources import Flag

KEY = "a-key-nobody-may-read"
SCOPE = Flag("limits", "scope", "process", "--limits-scope")


@dataclass(frozen=True)
class Folder:
    """A folder to write configurations in, and to read them from as the product does."""

    path: Path

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def load(
        self, settings: str | bytes = "", environ: Mapping[str, str] | None = None, emulator: bool = False
    ) -> Configuration:
        """Load `settings`, with a scope and a key unless the environment is given."""
        given = {"SIDECAR_LIMITS_SCOPE": "process", "GEMINI_API_KEY": KEY} if environ is None else environ
        return load(Flags((), self.write("sidecar.yaml", settings), emulator), given)

    def faults(self, settings: str | bytes = "", environ: Mapping[str, str] | None = None) -> list[Fault]:
        with pytest.raises(ConfigError) as raised:
            self.load(settings, environ)
        return list(raised.value.faults)

    def read(self, policy: str | bytes, environ: Mapping[str, str] | None = None) -> Reading:
        """Read a Policy beside the files `key` and `sa.json`; `$` stands for the folder, but for
        that of a price."""
        self.write("key", f"{KEY}\n")
        self.write("sa.json", '{"type": "service_account"}')
        text = re.sub(r"\$(?![0-9])", str(self.path), policy) if isinstance(policy, str) else policy
        return read_policy(self.write("policy.yaml", text), environ or {})

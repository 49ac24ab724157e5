"""Credentials by reference: where one stands, read when the Policy is read.

A credential never stands in the Policy file, which is reviewed, copied and printed. A reference keeps what it
read in a private attribute, so neither its dump nor its repr has it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationInfo, model_validator

from sidecar.config.faults import MASK, Unacceptable, looks_like_credential
from sidecar.config.files import FileReader
from sidecar.config.settings import Slice
from sidecar.core.secret import Secret

_KEY_MAX_BYTES = 8 << 10
_CREDENTIALS_MAX_BYTES = 64 << 10
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where references lead: handed to the schema as its validation context."""

    environ: Mapping[str, str] = field(repr=False)
    files: FileReader


def parse_key(text: str) -> Secret:
    """The API key in a file's or variable's content, less white space around it. Raises Unacceptable."""
    key = text.strip()
    if not key:
        raise Unacceptable("is empty: there is no key in it", "put the key there")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Unacceptable("holds something else than one key", "put the bare key there, on one line")
    return Secret(key)


class KeyReference(Slice):
    """Where an API key stands: exactly one of `file` and `env`."""

    file: Path | None = None
    """A file that holds the key and nothing else; read again when it changes."""
    env: str | None = None
    """An environment variable that holds the key; for a change the process must restart."""
    _secret: Secret = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _is_reference(cls, given: Any) -> Any:
        _refuse_literal(given, "key: {file: PATH} or key: {env: NAME}")
        return given

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> "KeyReference":
        if (self.file is None) == (self.env is None):
            raise Unacceptable("names not exactly one place", "write {file: PATH} or {env: NAME}")
        at = "file" if self.env is None else "env"
        try:
            self._secret = parse_key(self._text(_sources(info)))
        except Unacceptable as refusal:
            value = None if _is_name(str(self.file or self.env)) else MASK
            raise Unacceptable(refusal.reason, refusal.remedy, value=value, at=(at,)) from None
        return self

    def _text(self, sources: Sources) -> str:
        if self.file is not None:
            return sources.files.read(self.file, _KEY_MAX_BYTES).decode("utf-8", errors="replace")
        name = self.env or ""
        if not _ENVIRONMENT_NAME.fullmatch(name):
            raise Unacceptable(
                "is not a name of an environment variable", "write its name, such as GEMINI_API_KEY"
            )
        if name not in sources.environ:
            raise Unacceptable("names a variable that is not set", "set it or name another one")
        return sources.environ[name]

    @property
    def secret(self) -> Secret:
        """The key."""
        return self._secret


class CredentialsReference(Slice):
    """Where Google credentials stand: a JSON file of a service account, a user or workload identity."""

    file: Path
    """The file; read again when it changes."""
    _content_hash: str = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _is_reference(cls, given: Any) -> Any:
        _refuse_literal(given, "credentials: {file: PATH}")
        return given

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> "CredentialsReference":
        try:
            content = _sources(info).files.read(self.file, _CREDENTIALS_MAX_BYTES)
        except Unacceptable as refusal:
            raise Unacceptable(refusal.reason, refusal.remedy, at=("file",)) from None
        if not _is_credentials(content):
            raise Unacceptable(
                "is no Google credentials file: not a JSON object with a type",
                "name the JSON file that Google Cloud made",
                at=("file",),
            )
        self._content_hash = hashlib.sha256(content).hexdigest()
        return self

    @property
    def content_hash(self) -> str:
        """Changes with the file, so that the Policy's digest does."""
        return self._content_hash


def _sources(info: ValidationInfo) -> Sources:
    if not isinstance(info.context, Sources):
        raise TypeError("a Policy is validated with Sources as its context")
    return info.context


def _refuse_literal(given: Any, form: str) -> None:
    if not isinstance(given, Mapping) or any(map(looks_like_credential, given.values())):
        raise Unacceptable(
            "is a literal or no reference: credentials never stand in this file",
            f"put it in a file of its own and write {form}",
            value=MASK,
        )


def _is_name(text: str) -> bool:
    """Whether a text is surely the name of a file or a variable, and not a credential in the wrong place."""
    return "/" in text or "." in text or text.isupper()


def _is_credentials(content: bytes) -> bool:
    try:
        credentials = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(credentials, dict) and isinstance(credentials.get("type"), str)

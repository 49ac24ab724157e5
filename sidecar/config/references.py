"""Credentials by reference: where one stands, read when the file that refers to it is read.

A credential never stands in a settings or Policy file, which is reviewed, copied and printed. A reference
keeps what it read in a private attribute, so neither its dump nor its repr has it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr, ValidationInfo, model_validator

from sidecar.config.faults import MASK, Unacceptable, looks_like_credential
from sidecar.config.files import FileReader
from sidecar.config.values import Slice
from sidecar.core.secret import Secret

_KEY_MAX_BYTES = 8 << 10
_CREDENTIALS_MAX_BYTES = 64 << 10
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where references lead: handed to the schema as its validation context."""

    environ: Mapping[str, str] = field(repr=False)
    files: FileReader


def parse_key(text: str, noun: str = "key") -> Secret:
    """The key in a file's or variable's content, less white space around it. Raises Unacceptable, which calls
    it by `noun`.
    """
    key = text.strip()
    if not key:
        raise Unacceptable(f"is empty: there is no {noun} in it", f"put the {noun} there")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Unacceptable(f"holds something else than one {noun}", f"put the bare {noun} there, on one line")
    return Secret(key)


class KeyReference(Slice):
    """Where an API key stands: exactly one of `file` and `env`."""

    noun: ClassVar[str] = "key"
    """What is referred to, in faults; also the setting's name."""
    example: ClassVar[str] = "GEMINI_API_KEY"
    """A variable that may hold one."""

    file: Path | None = None
    """A file that holds the key and nothing else; read again when it changes."""
    env: str | None = None
    """An environment variable that holds the key; for a change the process must restart."""
    _secret: Secret = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _is_reference(cls, given: Any) -> Any:
        _refuse_literal(given, f"{cls.noun}: {{file: PATH}} or {cls.noun}: {{env: NAME}}")
        return given

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Self:
        if (self.file is None) == (self.env is None):
            raise Unacceptable("names not exactly one place", "write {file: PATH} or {env: NAME}")
        at = "file" if self.env is None else "env"
        try:
            self._secret = parse_key(self._text(_sources(info)), self.noun)
        except Unacceptable as refusal:
            value = None if _is_name(str(self.file or self.env)) else MASK
            raise Unacceptable(refusal.reason, refusal.remedy, value=value, at=(at,)) from None
        return self

    def _text(self, sources: Sources) -> str:
        if self.file is not None:
            return _text_of(self.file, sources.files)
        name = self.env or ""
        if not _ENVIRONMENT_NAME.fullmatch(name):
            raise Unacceptable(
                "is not a name of an environment variable", f"write its name, such as {self.example}"
            )
        if name not in sources.environ:
            raise Unacceptable("names a variable that is not set", "set it or name another one")
        return sources.environ[name]

    @property
    def secret(self) -> Secret:
        """What was read when the reference was checked."""
        return self._secret


class PasswordReference(KeyReference):
    """Where a password stands: exactly one of `file` and `env`."""

    noun = "password"
    example = "REDIS_PASSWORD"

    file: Path | None = None
    """A file that holds the password and nothing else; read again for each new connection."""
    env: str | None = None
    """An environment variable that holds the password; for a change the process must restart."""

    def current(self) -> Secret:
        """The password as it is now; the last one known when the file is being replaced or cannot be read."""
        if self.file is not None:
            with suppress(Unacceptable):
                self._secret = parse_key(_text_of(self.file, FileReader()), self.noun)
        return self._secret


def spelled_out(given: object) -> object:
    """Let `file:PATH` and `env:NAME` stand for a reference: a variable has no other way to say it."""
    if isinstance(given, str):
        kind, colon, place = given.partition(":")
        if colon and kind in ("file", "env"):
            return {kind: place}
    return given


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


def _text_of(file: Path, files: FileReader) -> str:
    return files.read(file, _KEY_MAX_BYTES).decode("utf-8", errors="replace")


def _sources(info: ValidationInfo) -> Sources:
    if not isinstance(info.context, Sources):
        raise TypeError("a tree with references is validated with Sources as its context")
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

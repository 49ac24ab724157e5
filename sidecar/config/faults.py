"""What is wrong with a configuration, in words for the operator.

A Fault names one bad value: where it stands, why it is refused and what to do. Faults are gathered, never
raised one by one: an operator who mends a file wants the whole list. ConfigError carries that list; it exists
only before serving, a reload reports the same faults without raising.

Invariant: no Fault carries a credential. Whoever makes a Fault passes its value through `shown`, which masks
what looks like a credential. The value of an unknown name is not shown at all, because nobody knows what it
is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MASK = "****"
_SHOWN_CHARS = 80
_CREDENTIAL = re.compile(r"^\s*(AIza|AQ\.|ya29\.|-----BEGIN)|\"private_key\"")
_PLAIN_PART = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused value."""

    path: str
    """Where it stands: `listen.address`, `projects[0].key.file`, or the name of a variable, flag or file."""
    value: str
    """As `shown`; empty when there is none, or none that may be printed."""
    reason: str
    remedy: str
    """What to do, in the imperative."""
    source: str = ""
    """Who said so: `sidecar.yaml:12`, `environment SIDECAR_CONFIG`, `flag --listen`; empty for nobody."""

    def __str__(self) -> str:
        head = f"{self.path} = {self.value}" if self.value else self.path
        lines = [f"{head}  ({self.source})" if self.source else head]
        lines += [f"  reason: {self.reason}", f"  remedy: {self.remedy}"]
        return "\n".join(lines)


class ConfigError(Exception):
    """Nothing can be served with this configuration; `faults` is never empty. The process ends with exit
    code 2."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class Unacceptable(ValueError):
    """Raised by a validator that can say more than pydantic: why, and what to do.

    `value` replaces the refused value in the Fault where that one must not be printed as it is. `at` leads
    from the place that was checked to the one to blame.
    """

    def __init__(
        self, reason: str, remedy: str, *, value: str | None = None, at: tuple[str | int, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.value = value
        self.at = at


def looks_like_credential(value: object) -> bool:
    """Whether a text has the shape of a Google API key, an access token or a private key."""
    return isinstance(value, str) and _CREDENTIAL.search(value) is not None


def shown(value: object) -> str:
    """A value as a Fault may print it: one line, capped, containers by kind, credentials masked."""
    if isinstance(value, Mapping):
        return "(a mapping)"
    if isinstance(value, list | tuple):
        return "(a list)"
    if value is None:
        return "null"
    if looks_like_credential(value):
        return MASK
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."


def dotted(path: Iterable[str | int]) -> str:
    """A path as text: `models["gemini-3.8-flash"].aliases[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_PART.fullmatch(part) and not looks_like_credential(part):
            text += f".{part}" if text else part
        else:
            text += f"[{shown(part)}]".replace("'", '"')
    return text

"""Names that a Policy file gives or refers to, and what each may be made of."""

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from sidecar.config.checks import one_line
from sidecar.config.faults import Unacceptable
from sidecar.core.call import MODEL_PREFIXES, model_named


def matching(pattern: str, remedy: str) -> AfterValidator:
    """Refuse text that does not match the whole of `pattern`."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise Unacceptable("is not a valid name here", remedy)
        return value

    return AfterValidator(check)


def default_when_empty(default: Callable[[], Any]) -> BeforeValidator:
    """Let a key whose values are all commented out stand for what it is without the key."""
    return BeforeValidator(lambda value: default() if value is None else value)


def _model_id(value: str) -> str:
    if value.startswith(MODEL_PREFIXES):
        raise Unacceptable("is a resource name", f"write the bare id: {model_named(value)}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]*(/[A-Za-z0-9][A-Za-z0-9._@-]*)*", value):
        raise Unacceptable("is not a model id", "write the id as Google has it, such as gemini-3.8-flash")
    return value


Name: TypeAlias = Annotated[
    str, matching(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "take up to 63 of a-z, 0-9 and inner hyphens")
]
ModelId: TypeAlias = Annotated[str, AfterValidator(_model_id)]
Alias: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "take letters, digits, dots, hyphens and underscores")
]
Line: TypeAlias = Annotated[str, AfterValidator(one_line)]
"""Text without white space: a principal, or a label's key or value."""

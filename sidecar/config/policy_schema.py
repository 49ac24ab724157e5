"""The Policy file as it is written: the shape of its YAML, and what each single value may be.

What values must be to each other (names that are used twice or lead nowhere) is checked in `policy_checks`;
the Policy itself, with every default filled in, is made in `policy`.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from sidecar.config.checks import one_line
from sidecar.config.document import TreePath
from sidecar.config.faults import MASK, Unacceptable
from sidecar.config.references import CredentialsReference, KeyReference
from sidecar.config.units import is_loopback
from sidecar.config.validation import near
from sidecar.config.values import Slice

_API_VERSION = re.compile(r"v[0-9]+((alpha|beta)[0-9]*)?")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


def _matching(pattern: str, remedy: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise Unacceptable("is not a valid name here", remedy)
        return value

    return AfterValidator(check)


def _model_id(value: str) -> str:
    if value.startswith("models/"):
        raise Unacceptable("is a resource name", f"write the bare id: {value.removeprefix('models/')}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]*(/[A-Za-z0-9][A-Za-z0-9._@-]*)*", value):
        raise Unacceptable("is not a model id", "write the id as Google has it, such as gemini-3.8-flash")
    return value


def _base_url(value: str) -> str:
    """Scheme, host and path prefix, without a trailing slash; nothing that would leak or be sent twice."""
    form = "write https://HOST or https://HOST/PREFIX"
    shown = MASK if set("@?#") & set(value) else None  # a user or a query may be a credential
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise Unacceptable("is not a URL", form, value=shown) from None
    path = url.path.rstrip("/")
    reason = _refusal(value, url, path)
    if reason:
        raise Unacceptable(reason, form, value=shown)
    if url.scheme == "http" and not is_loopback(host):
        remedy = "write https; http is for loopback addresses alone"
        raise Unacceptable(f"would send credentials to {host} in clear", remedy)
    if _API_VERSION.fullmatch(path.rpartition("/")[2]):
        raise Unacceptable("ends with an API version", "leave it out; api_version sets it")
    authority = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{authority}{f':{port}' if port else ''}{path}"


def _refusal(value: str, url: SplitResult, path: str) -> str:
    """Why a URL cannot be a base, by its parts; empty when it can."""
    if not value.isprintable() or " " in value:
        return "has white space in it"
    if url.scheme not in ("http", "https"):
        return "is neither http nor https"
    if url.username is not None or url.password is not None:
        return "carries a user or password"
    if "?" in value or "#" in value:
        return "carries a query or fragment"
    if not _HOST.fullmatch(url.hostname or ""):
        return "has no valid host"
    return "" if _PATH.fullmatch(path) else "has a path that is not a plain prefix"


def _empty(kind: Callable[[], Any]) -> BeforeValidator:
    """Let a key whose values are all commented out stand for no values."""
    return BeforeValidator(lambda value: kind() if value is None else value)


Name: TypeAlias = Annotated[
    str, _matching(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "take up to 63 of a-z, 0-9 and inner hyphens")
]
ApiVersion: TypeAlias = Annotated[
    str, _matching(_API_VERSION.pattern, "write a version such as v1 or v1beta")
]
BaseUrl: TypeAlias = Annotated[str, AfterValidator(_base_url)]
ModelId: TypeAlias = Annotated[str, AfterValidator(_model_id)]
Alias: TypeAlias = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "take letters, digits, dots, hyphens and underscores")
]


class GeminiProject(Slice):
    """A project of the Gemini Developer API."""

    name: Name
    """What replies, logs and metrics call it; unique."""
    api: Literal["gemini"]
    """Which API: an API key, paths under `models/`."""
    key: KeyReference
    """Where its API key stands."""
    base_url: BaseUrl = "https://generativelanguage.googleapis.com"
    """Scheme, host and optional path prefix; another one for a proxy or the emulator."""
    api_version: ApiVersion = "v1beta"
    """Default v1beta: it alone knows the aliases and the newest fields."""


class VertexProject(Slice):
    """A project of Vertex AI at one location."""

    name: Name
    """What replies, logs and metrics call it; unique."""
    api: Literal["vertex"]
    """Which API: OAuth credentials, a Google Cloud project and a location."""
    project: Annotated[str, _matching(r"[a-z0-9][a-z0-9.:-]*", "write the id of the Google Cloud project")]
    """The Google Cloud project's id."""
    location: Annotated[
        str, _matching(r"[a-z0-9]+(-[a-z0-9]+)*", "write a location such as europe-west4")
    ] = "global"
    """A region, the multi-regions `us` and `eu`, or `global`."""
    credentials: CredentialsReference | None = None
    """Where its credentials stand. None: application-default credentials, so workload identity on GKE."""
    base_url: BaseUrl | None = None
    """Scheme, host and optional path prefix. None: Google's host for the location."""
    api_version: ApiVersion = "v1beta1"
    """Default v1beta1: what Google's own clients take."""


class ModelSchema(Slice):
    """A model, under its id upstream."""

    aliases: Annotated[list[Alias], _empty(list)] = Field(default_factory=list)
    """Further names that callers may use; unique over all models."""
    projects: Annotated[list[Name], Field(min_length=1)] | None = None
    """The projects that serve it, best first. None: all, in their order."""


class TenantSchema(Slice):
    """Principals that share an account."""

    principals: Annotated[list[Annotated[str, AfterValidator(one_line)]], Field(min_length=1)]
    """Their identities; each belongs to one tenant at most."""


Project: TypeAlias = Annotated[GeminiProject | VertexProject, Field(discriminator="api")]


class PolicySchema(Slice):
    """The Policy file's root."""

    projects: Annotated[list[Project], Field(min_length=1)]
    """Where models are asked, best first; at least one."""
    models: Annotated[dict[ModelId, Annotated[ModelSchema, _empty(dict)]], _empty(dict)] = Field(
        default_factory=dict
    )
    """Models by their id upstream."""
    unlisted_models: Literal["allow", "deny"] = "allow"
    """Whether a model that is not listed may be asked for; any project then serves it."""
    unknown_fields: Literal["allow", "deny"] = "deny"
    """Whether a request may carry fields that the schema does not know (`extra_json`)."""
    tenants: Annotated[dict[Name, TenantSchema], _empty(dict)] = Field(default_factory=dict)
    """Principals by the tenant that they belong to; a principal in none has none."""


_PROJECTS: dict[str, type[Slice]] = {"gemini": GeminiProject, "vertex": VertexProject}
_SCHEMAS: tuple[type[Slice], ...] = (
    PolicySchema,
    GeminiProject,
    VertexProject,
    ModelSchema,
    TenantSchema,
    KeyReference,
)
_KEYS = {key for schema in _SCHEMAS for key in schema.model_fields}


def key_hint(path: TreePath) -> str:
    """What to do about an unknown key: of the other API, or misspelled; empty without a guess."""
    key = str(path[-1])
    if path[0] == "projects" and len(path) == 3:
        for api, schema in _PROJECTS.items():
            if key in schema.model_fields:
                return f"remove it: it belongs to projects with api: {api}"
    return near(key, _KEYS)

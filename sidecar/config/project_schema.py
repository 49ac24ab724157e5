"""Projects as the Policy file has them: where models are asked, and what may be asked there."""

import re
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sidecar.config.checks import not_a_bool
from sidecar.config.faults import MASK, Unacceptable
from sidecar.config.names import Name, default_when_empty, matching
from sidecar.config.quota_schema import CountLimit, Tier, Weight
from sidecar.config.references import CredentialsReference, KeyReference
from sidecar.config.units import is_loopback
from sidecar.config.values import Slice
from sidecar.core.feature import Feature

_API_VERSION = re.compile(r"v[0-9]+((alpha|beta)[0-9]*)?")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


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


ApiVersion: TypeAlias = Annotated[str, matching(_API_VERSION.pattern, "write a version such as v1 or v1beta")]
BaseUrl: TypeAlias = Annotated[str, AfterValidator(_base_url)]


Level: TypeAlias = Annotated[int, BeforeValidator(not_a_bool), Field(ge=0, le=1000)]


class ProjectSchema(Slice):
    """What projects of both APIs have in common."""

    name: Name
    """What replies, logs and metrics call it; unique."""
    weight: Weight = 1.0
    """How much of the calls of its level it takes, beside the others."""
    level: Level = 0
    """Projects of the lowest level share the calls; those of the next are asked when these are out."""
    concurrency: CountLimit = None
    """The most attempts that one sidecar may have open here at once. None: any number."""
    tiers: Annotated[list[Tier], Field(min_length=1)] | None = None
    """Service tiers that it serves. None: all."""
    lacks: Annotated[list[Feature], default_when_empty(list)] = Field(default_factory=list)
    """What it may not be asked for: a call that makes use of any of these goes elsewhere."""


class GeminiProject(ProjectSchema):
    """A project of the Gemini Developer API."""

    api: Literal["gemini"]
    """Which API: an API key, paths under `models/`."""
    key: KeyReference | None = None
    """Where its API key stands; this or `keys`."""
    keys: Annotated[list[KeyReference], Field(min_length=1)] | None = None
    """Where its API keys stand, when it has several: they share its quota and are used in turn."""
    files: bool = False
    """Whether files and caches that a request names, without saying whose they are, belong to this project;
    one project at most. Needed where there are several of this API."""
    base_url: BaseUrl = "https://generativelanguage.googleapis.com"
    """Scheme, host and optional path prefix; another one for a proxy or the emulator."""
    api_version: ApiVersion = "v1beta"
    """Default v1beta: it alone knows the aliases and the newest fields."""

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if self.key is None and self.keys is None:
            raise Unacceptable("is missing", "add it", at=("key",))
        if self.key is not None and self.keys is not None:
            raise Unacceptable(
                "stands beside `key`", "put all keys in `keys`, or keep `key` alone", at=("keys",)
            )
        first = {reference.secret: index for index, reference in reversed([*enumerate(self.references)])}
        for index, reference in enumerate(self.references):
            if (other := first[reference.secret]) != index:
                raise Unacceptable(
                    f"leads to the same key as keys[{other}]", "give each key once", at=("keys", index)
                )
        return self

    @property
    def references(self) -> tuple[KeyReference, ...]:
        """Where all its keys stand."""
        return tuple(self.keys or ([self.key] if self.key else ()))


class VertexProject(ProjectSchema):
    """A project of Vertex AI at one location."""

    api: Literal["vertex"]
    """Which API: OAuth credentials, a Google Cloud project and a location."""
    project: Annotated[str, matching(r"[a-z0-9][a-z0-9.:-]*", "write the id of the Google Cloud project")]
    """The Google Cloud project's id."""
    location: Annotated[str, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "write a location such as europe-west4")] = (
        "global"
    )
    """A region, the multi-regions `us` and `eu`, or `global`."""
    credentials: CredentialsReference | None = None
    """Where its credentials stand. None: application-default credentials, so workload identity on GKE."""
    base_url: BaseUrl | None = None
    """Scheme, host and optional path prefix. None: Google's host for the location."""
    api_version: ApiVersion = "v1beta1"
    """Default v1beta1: what Google's own clients take."""


Project: TypeAlias = Annotated[GeminiProject | VertexProject, Field(discriminator="api")]

"""The Policy file as it is written: the shape of its YAML, and what each single value may be.

What values must be to each other (names that are used twice or lead nowhere) is checked in `policy_checks`;
the Policy itself, with every default filled in, is made in `policy`.
"""

import re
from typing import Annotated, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from sidecar.config.document import TreePath
from sidecar.config.faults import MASK, Unacceptable
from sidecar.config.names import Alias, Line, ModelId, Name, default_when_empty, matching
from sidecar.config.prices import ModalityRates, ModelPrices, PriceSchema
from sidecar.config.quota_schema import BudgetSchema, QuotaSchema, Weight
from sidecar.config.references import CredentialsReference, KeyReference
from sidecar.config.units import is_loopback
from sidecar.config.validation import near
from sidecar.config.values import Slice
from sidecar.core.policy import PRIORITIES

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


class ModelSchema(Slice):
    """A model, under its id upstream."""

    aliases: Annotated[list[Alias], default_when_empty(list)] = Field(default_factory=list)
    """Further names that callers may use; unique over all models."""
    projects: Annotated[list[Name], Field(min_length=1)] | None = None
    """The projects that serve it, best first. None: all, in their order."""


class TenantSchema(Slice):
    """Principals that share an account."""

    principals: Annotated[list[Line], Field(min_length=1)]
    """Their identities; each belongs to one tenant at most."""
    priority: Name | None = None
    """The highest priority that its calls may have. None: `standard` if there is one, else the heaviest."""
    weight: Weight = 1.0
    """How much of what is scarce its calls get, beside those of other tenants at the same priority."""


Project: TypeAlias = Annotated[GeminiProject | VertexProject, Field(discriminator="api")]


class PolicySchema(Slice):
    """The Policy file's root."""

    projects: Annotated[list[Project], Field(min_length=1)]
    """Where models are asked, best first; at least one."""
    models: Annotated[
        dict[ModelId, Annotated[ModelSchema, default_when_empty(dict)]], default_when_empty(dict)
    ] = Field(default_factory=dict)
    """Models by their id upstream."""
    unlisted_models: Literal["allow", "deny"] = "allow"
    """Whether a model that is not listed may be asked for; any project then serves it."""
    unknown_fields: Literal["allow", "deny"] = "deny"
    """Whether a request may carry fields that the schema does not know (`extra_json`)."""
    tenants: Annotated[dict[Name, TenantSchema], default_when_empty(dict)] = Field(default_factory=dict)
    """Principals by the tenant that they belong to; a principal in none has none."""
    quotas: Annotated[list[QuotaSchema], default_when_empty(list)] = Field(default_factory=list)
    """What Google grants, one entry for all that it counts together; a model in none is not limited."""
    budgets: Annotated[list[BudgetSchema], default_when_empty(list)] = Field(default_factory=list)
    """What callers were given; a call may fall under several, and then under all of them."""
    priorities: Annotated[
        dict[Name, Weight], Field(min_length=1), default_when_empty(lambda: dict(PRIORITIES))
    ] = Field(default_factory=lambda: dict(PRIORITIES))
    """Priorities by weight: while calls wait, each priority is served in proportion to its weight."""
    prices: Annotated[dict[ModelId, ModelPrices], default_when_empty(dict)] = Field(default_factory=dict)
    """Prices by model id, in place of those that the release knows."""


_SIBLINGS: dict[str, dict[str, type[Slice]]] = {
    "projects": {"projects with api: gemini": GeminiProject, "projects with api: vertex": VertexProject},
    "quotas": {"budgets": BudgetSchema},
    "budgets": {"quotas": QuotaSchema},
}
_SCHEMAS: tuple[type[Slice], ...] = (
    PolicySchema,
    GeminiProject,
    VertexProject,
    ModelSchema,
    TenantSchema,
    QuotaSchema,
    BudgetSchema,
    KeyReference,
    PriceSchema,
    ModalityRates,
)
_KEYS = {key for schema in _SCHEMAS for key in schema.model_fields}


def key_hint(path: TreePath) -> str:
    """What to do about an unknown key: of another kind of entry, or misspelled; empty without a guess."""
    key = str(path[-1])
    if len(path) == 3:
        for kind, schema in _SIBLINGS.get(str(path[0]), {}).items():
            if key in schema.model_fields:
                return f"remove it: it belongs to {kind}"
    return near(key, _KEYS)

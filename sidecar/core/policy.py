"""The Policy: an immutable snapshot of what the fleet has agreed on.

`config/policy` reads, checks and replaces snapshots; a Call keeps the one it began with until it is settled.
Later facts (quotas, budgets, rules) join as further fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sidecar.core.cost import PriceTable
from sidecar.core.secret import Secret


class Api(StrEnum):
    """Which of Google's two faces a project is reached through."""

    GEMINI = "gemini"
    """The Gemini Developer API: an API key, paths under `models/`."""
    VERTEX = "vertex"
    """Vertex AI: OAuth credentials, a Google Cloud project and a location."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that can be asked: a project, for Vertex at one location, with the credential it takes."""

    project: str
    """The project's name in the Policy; appears in replies, logs and metrics."""
    api: Api
    base_url: str
    """Scheme, host and optional path prefix, without a trailing slash."""
    api_version: str
    key: Secret | None = None
    """Developer API only."""
    cloud_project: str = ""
    """Vertex only: the Google Cloud project id."""
    location: str = ""
    """Vertex only: a region, a multi-region or `global`."""
    credentials_file: Path | None = None
    """Vertex only: a Google credentials file; None means application-default credentials."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A group of principals that share an account; never chosen by the caller."""

    name: str
    principals: frozenset[str]


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """A model of the Policy: its id upstream and the projects that serve it, in order of preference."""

    model: str
    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One validated snapshot; equal content has an equal `digest`."""

    digest: str
    endpoints: tuple[Endpoint, ...]
    """In order of preference."""
    routes: Mapping[str, ModelRoute] = field(default_factory=dict)
    """By every name a caller may use: model ids and aliases."""
    unlisted_models: bool = True
    """Whether a model without a route may be asked for; it is then served by any project."""
    unknown_fields: bool = False
    """Whether `extra_json` may carry fields that the schema does not type."""
    tenants: tuple[Tenant, ...] = ()
    prices: PriceTable = field(default_factory=PriceTable)
    """What tokens cost: the release's prices, with those of the Policy file in place of them."""

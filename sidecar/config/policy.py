"""Make a Policy: from a file, from the environment, or for the emulator.

A reading is whole or refused: there is a Policy exactly when there are no faults. Its `digest` covers the
content of the credentials too, so that a rotated key makes a new Policy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from sidecar.config.digest import digest_of
from sidecar.config.document import SIZE_MAX_BYTES, read_document
from sidecar.config.faults import Fault, Unacceptable, shown
from sidecar.config.files import FileReader, Signature
from sidecar.config.policy_checks import cross_check
from sidecar.config.policy_schema import PolicySchema, key_hint
from sidecar.config.pools import pool_rules, tier_rule
from sidecar.config.prices import model_prices, shipped_prices
from sidecar.config.project_schema import GeminiProject, VertexProject
from sidecar.config.quotas import budget_of, default_priority, quota_groups
from sidecar.config.references import Sources, parse_key
from sidecar.config.rule_schema import rules_of
from sidecar.config.validation import Raw, validate
from sidecar.core.policy import Api, Endpoint, ModelRoute, Policy, Tenant
from sidecar.core.secret import Secret

KEY_VARIABLES = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
"""Where a key is looked for without a Policy file, the first that is set wins: the order of Google's own
SDK."""
DIGEST_SHOWN_CHARS = 12
"""How much of a digest may be printed."""
_MULTI_REGIONS = ("us", "eu")


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a Policy: the Policy, or the faults that refuse it."""

    policy: Policy | None
    faults: tuple[Fault, ...]
    seen: Mapping[Path, Signature]
    """Every file that was looked at, in the state it was in; a change of any is a reason to read again."""


def read_policy(path: Path, environ: Mapping[str, str], named_by: str = "") -> Reading:
    """Read and check a Policy file and every credential that it names. Blocks on the disk; never raises.

    `named_by` is who named the file, as `Fault.source` has it.
    """
    files = FileReader()
    try:
        content = files.read(path, SIZE_MAX_BYTES)
    except Unacceptable as refusal:
        fault = Fault("policy.file", shown(str(path)), refusal.reason, refusal.remedy, named_by)
        return Reading(None, (fault,), files.seen)
    document = read_document(content, str(path))
    if not document.whole:
        return Reading(None, document.faults, files.seen)
    raw = Raw(document.tree, document.origin, key_hint)
    schema, refused = validate(PolicySchema, raw, Sources(environ, files))
    faults = (*document.faults, *refused, *cross_check(raw))
    if schema is None or faults:
        return Reading(None, faults, files.seen)
    return Reading(_policy(schema), (), files.seen)


def environment_policy(environ: Mapping[str, str]) -> Reading:
    """One Gemini project, `default`, with the key of the environment."""
    name = next((name for name in KEY_VARIABLES if environ.get(name)), None)
    if name is None:
        remedy = "set GEMINI_API_KEY, name a Policy file (policy.file, --policy), or pass --emulator"
        return _refused(Fault("policy", "", "no credentials: nothing says how to reach Gemini", remedy))
    try:
        key = parse_key(environ[name])
    except Unacceptable as refusal:
        return _refused(Fault(name, "", refusal.reason, refusal.remedy, "environment"))
    return Reading(_single_project("default", key, GeminiProject.model_fields["base_url"].default), (), {})


def emulator_policy(base_url: str) -> Policy:
    """One Gemini project, `emulator`, at an emulator's URL. Its key opens nothing."""
    return _single_project("emulator", Secret("emulator"), base_url)


def _refused(fault: Fault) -> Reading:
    return Reading(None, (fault,), {})


def _single_project(name: str, key: Secret, base_url: str) -> Policy:
    api_version: str = GeminiProject.model_fields["api_version"].default
    endpoint = Endpoint(project=name, api=Api.GEMINI, base_url=base_url, api_version=api_version, keys=(key,))
    return _with_digest(Policy(digest="", endpoints=(endpoint,), prices=shipped_prices()), ())


def _policy(schema: PolicySchema) -> Policy:
    all_projects = tuple(project.name for project in schema.projects)
    routes: dict[str, ModelRoute] = {}
    for model, listed in schema.models.items():
        route = ModelRoute(model, tuple(listed.projects or all_projects), tuple(listed.fallback))
        routes.update(dict.fromkeys((model, *listed.aliases), route))
    policy = Policy(
        digest="",
        endpoints=tuple(map(_endpoint, schema.projects)),
        routes=MappingProxyType(routes),
        unlisted_models=schema.unlisted_models == "allow",
        unknown_fields=schema.unknown_fields == "allow",
        tenants=_tenants(schema),
        priorities=MappingProxyType(dict(schema.priorities)),
        default_priority=default_priority(schema.priorities),
        quotas=quota_groups(schema.quotas),
        budgets=tuple(map(budget_of, schema.budgets)),
        pools=pool_rules(schema.pools),
        tier_rules=tuple(map(tier_rule, schema.tiers)),
        strips_signatures=schema.cross_issuer == "strip",
        rules=rules_of(schema.rules, schema.default, {name: route.model for name, route in routes.items()}),
        asks_for_tokens=schema.tokens == "required",
        prices=shipped_prices().overridden(model_prices(schema.prices)),
    )
    return _with_digest(policy, map(_credentials_hash, schema.projects))


def _tenants(schema: PolicySchema) -> tuple[Tenant, ...]:
    default = default_priority(schema.priorities)
    return tuple(
        Tenant(name, frozenset(tenant.principals), tenant.priority or default, tenant.weight)
        for name, tenant in schema.tenants.items()
    )


def _endpoint(project: GeminiProject | VertexProject) -> Endpoint:
    place = _gemini(project) if isinstance(project, GeminiProject) else _vertex(project)
    return replace(
        place,
        weight=project.weight,
        level=project.level,
        concurrency=project.concurrency,
        tiers=frozenset(project.tiers or ()),
        lacks=frozenset(project.lacks),
    )


def _gemini(project: GeminiProject) -> Endpoint:
    return Endpoint(
        project=project.name,
        api=Api.GEMINI,
        base_url=project.base_url,
        api_version=project.api_version,
        keys=tuple(reference.secret for reference in project.references),
        holds_files=project.files,
    )


def _vertex(project: VertexProject) -> Endpoint:
    return Endpoint(
        project=project.name,
        api=Api.VERTEX,
        base_url=project.base_url or _vertex_url(project.location),
        api_version=project.api_version,
        cloud_project=project.project,
        location=project.location,
        credentials_file=project.credentials.file if project.credentials else None,
    )


def _vertex_url(location: str) -> str:
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _credentials_hash(project: GeminiProject | VertexProject) -> str:
    if isinstance(project, GeminiProject) or project.credentials is None:
        return ""
    return project.credentials.content_hash


def _with_digest(policy: Policy, credentials_hashes: Iterable[str]) -> Policy:
    return replace(policy, digest=digest_of(policy, credentials_hashes))

"""The names of a Policy file, as far as a raw tree has them: what its checks look other names up in.

Lenient, so that one bad value does not hide another: whatever is not of the right type is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.config.document import TreePath
from sidecar.config.validation import Raw
from sidecar.core.policy import PRIORITIES


@dataclass(frozen=True, slots=True)
class Outline:
    """All that may be referred to."""

    projects: tuple[str, ...]
    tiers: Mapping[str, frozenset[str]]
    """Service tiers by project; empty: all."""
    routes: Mapping[str, tuple[str, ...]]
    """Projects by the id of each listed model."""
    aliases: Mapping[str, str]
    """Ids by alias."""
    denies_unlisted: bool
    """Whether nothing but `routes` can be asked for."""
    tenants: Mapping[str, frozenset[str]]
    """Principals by tenant."""
    priorities: tuple[str, ...]
    """The built-in ones when the file has none of its own; empty when it has them wrong."""

    def serves(self, project: str, tier: str) -> bool:
        """Whether a project serves a tier; so does one that is not in the file, which is another fault."""
        tiers = self.tiers.get(project)
        return not tiers or tier in tiers


def outline(raw: Raw) -> Outline:
    """What a Policy file names."""
    named = list(raw.texts((*path, "name") for path in raw.below(("projects",))))
    projects = tuple(name for _, name in named)
    models = list(raw.below(("models",)))
    weights = raw.at(("priorities",))
    return Outline(
        projects=projects,
        tiers={name: frozenset(_listed(raw, (*path[:-1], "tiers"))) for path, name in named},
        routes={str(model[-1]): _listed(raw, (*model, "projects")) or projects for model in models},
        aliases={alias: str(model[-1]) for model in models for alias in _listed(raw, (*model, "aliases"))},
        denies_unlisted=raw.at(("unlisted_models",)) == "deny",
        tenants={
            str(tenant[-1]): frozenset(_listed(raw, (*tenant, "principals")))
            for tenant in raw.below(("tenants",))
        },
        priorities=tuple(PRIORITIES if weights is None else _keys(raw, ("priorities",))),
    )


def _listed(raw: Raw, path: TreePath) -> tuple[str, ...]:
    return tuple(text for _, text in raw.texts(raw.below(path)))


def _keys(raw: Raw, path: TreePath) -> tuple[str, ...]:
    return tuple(key for *_, key in raw.below(path) if isinstance(key, str))

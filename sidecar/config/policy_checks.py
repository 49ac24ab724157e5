"""What the parts of a Policy file must be to each other.

Pure, and over the raw tree: whatever is not of the right type is the schema's to refuse and passed over here,
so that one bad value does not hide the others.
"""

from collections.abc import Iterator

from sidecar.config.document import TreePath
from sidecar.config.faults import Fault
from sidecar.config.validation import Raw, near


def cross_check(raw: Raw) -> list[Fault]:
    """All names that are taken twice or lead nowhere."""
    return [*_projects(raw), *_models(raw), *_tenants(raw)]


def _projects(raw: Raw) -> Iterator[Fault]:
    first: dict[str, TreePath] = {}
    for path, name in _texts(raw, *_items(raw, ("projects",)), below=("name",)):
        if name in first:
            yield raw.fault(path, "is the name of another project too", "give each project a name of its own")
        first.setdefault(name, path)


def _models(raw: Raw) -> Iterator[Fault]:
    models = list(_items(raw, ("models",)))
    yield from _model_projects(raw, models)
    taken = {str(path[-1]): "is the id of a listed model" for path in models}
    for model in models:
        for path, alias in _texts(raw, *_items(raw, (*model, "aliases"))):
            if alias in taken:
                yield raw.fault(
                    path, taken[alias], "give each alias to one model, and to none that has its name"
                )
            taken.setdefault(alias, "is already an alias")
    if raw.at(("unlisted_models",)) == "deny" and not models:
        yield raw.fault(
            ("unlisted_models",),
            "denies every model, because none is listed",
            "list models or allow unlisted ones",
        )


def _model_projects(raw: Raw, models: list[TreePath]) -> Iterator[Fault]:
    known = {name for _, name in _texts(raw, *_items(raw, ("projects",)), below=("name",))}
    for model in models:
        listed: set[str] = set()
        for path, name in _texts(raw, *_items(raw, (*model, "projects"))):
            if name not in known:
                yield raw.fault(
                    path, "is no project of this file", near(name, known) or "name a listed project"
                )
            elif name in listed:
                yield raw.fault(path, "is listed twice", "keep it once, where it ranks")
            listed.add(name)


def _tenants(raw: Raw) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for tenant in _items(raw, ("tenants",)):
        for path, principal in _texts(raw, *_items(raw, (*tenant, "principals"))):
            if principal in owner:
                reason = f"belongs to tenant {owner[principal]} already"
                yield raw.fault(path, reason, "let each principal belong to one tenant")
            owner.setdefault(principal, str(tenant[-1]))


def _items(raw: Raw, path: TreePath) -> Iterator[TreePath]:
    """The paths right below one."""
    value = raw.at(path)
    if isinstance(value, dict | list):
        for part in value if isinstance(value, dict) else range(len(value)):
            yield (*path, part)


def _texts(raw: Raw, *paths: TreePath, below: TreePath = ()) -> Iterator[tuple[TreePath, str]]:
    """Those of the paths, each extended, where a text stands."""
    for path in paths:
        value = raw.at((*path, *below))
        if isinstance(value, str):
            yield (*path, *below), value

"""Where Settings come from: flags over environment over file, in one raw tree that remembers who said what.

Only names are judged here (an unknown variable is a fault); values are judged by the schema.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.config.document import Document, TreePath
from sidecar.config.faults import Fault
from sidecar.config.settings import Settings
from sidecar.config.validation import Raw, near
from sidecar.config.values import Slice

CONFIG_VARIABLE = "SIDECAR_CONFIG"
"""Names the settings file; `--config` wins over it."""
_PREFIX = "SIDECAR_"
# Kubernetes gives every container the addresses of its namespace's services, under their names: a service
# called `sidecar` must not keep a pod from starting.
_SERVICE_LINK = re.compile(
    r"SIDECAR_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.+)?)"
)
_SERVICE_LINK_URL = re.compile(r"(tcp|udp|sctp)://")


@dataclass(frozen=True, slots=True)
class Flag:
    """A value from the command line."""

    group: str
    key: str
    value: str
    name: str
    """As it was typed: `--limits-scope`."""


@dataclass(slots=True)
class _Layers:
    """The tree so far; a later layer covers an earlier one."""

    tree: dict[str, dict[str, Any]]
    origins: dict[TreePath, str] = field(default_factory=dict)

    def put(self, group: str, key: str, value: Any, origin: str) -> None:
        self.tree.setdefault(group, {})[key] = value
        self.origins[group, key] = origin

    def origin(self, path: TreePath) -> str:
        return self.origins.get(path[:2], self.origins.get(path[:1], ""))


def setting_names() -> dict[str, tuple[str, str]]:
    """Group and key of every setting, by its environment variable."""
    return {
        f"{_PREFIX}{group}_{key}".upper(): (group, key)
        for group, slice_field in Settings.model_fields.items()
        if isinstance(slice_field.annotation, type) and issubclass(slice_field.annotation, Slice)
        for key in slice_field.annotation.model_fields
    }


def merge(document: Document, environ: Mapping[str, str], flags: Iterable[Flag]) -> tuple[Raw, list[Fault]]:
    """One tree of all layers, and the names in them that nobody knows."""
    faults = list(document.faults)
    layers = _Layers({group: {} for group in Settings.model_fields})
    faults += _lay_document(layers, document)
    faults += _lay_environment(layers, environ)
    for flag in flags:
        layers.put(flag.group, flag.key, flag.value, f"flag {flag.name}")
    return Raw(layers.tree, layers.origin, _hint), faults


def _lay_document(layers: _Layers, document: Document) -> list[Fault]:
    faults = []
    for group, keys in document.tree.items():
        layers.origins[(group,)] = document.origin((group,))
        if isinstance(keys, Mapping):
            layers.tree.setdefault(group, {})
            for key, value in keys.items():
                layers.put(group, key, value, document.origin((group, key)))
        elif group not in Settings.model_fields:
            layers.tree[group] = {}
        elif keys is not None:  # a group whose keys are all commented out is null
            where = document.origin((group,))
            faults.append(Fault(group, "", "is not a mapping", "write keys and values below it", where))
    return faults


def _lay_environment(layers: _Layers, environ: Mapping[str, str]) -> list[Fault]:
    known = setting_names()
    faults = []
    for name, value in sorted(environ.items()):
        if name in known:
            group, key = known[name]
            layers.put(group, key, value, f"environment {name}")
        elif name.startswith(_PREFIX) and name != CONFIG_VARIABLE and not _is_service_link(name, value):
            remedy = near(name, [*known, CONFIG_VARIABLE]) or "unset it"
            faults.append(Fault(name, "", "is not a known variable", remedy, "environment"))
    return faults


def _is_service_link(name: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return name.endswith("_PORT") and _SERVICE_LINK_URL.match(value) is not None


def _hint(path: TreePath) -> str:
    if len(path) == 1:
        return near(str(path[0]), Settings.model_fields)
    known = [f"{group}.{key}" for group, key in setting_names().values()]
    return near(".".join(map(str, path)), known)

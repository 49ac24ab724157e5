"""The emulator judges the sidecar, so it must not lean on it."""

import ast
import sys
from pathlib import Path

import sidecar.emulator

_ALLOWED = {"aiohttp", "orjson", *sys.stdlib_module_names}


def test_the_emulator_imports_the_standard_library_aiohttp_and_orjson_only():
    [folder] = sidecar.emulator.__path__
    imported = set()
    for module in Path(folder).glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
    foreign = {name for name in imported if name.partition(".")[0] not in _ALLOWED}
    assert all(name == "sidecar.emulator" or name.startswith("sidecar.emulator.") for name in foreign)

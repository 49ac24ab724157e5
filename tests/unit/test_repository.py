"""Rules of the repository that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sidecar"
GENERATED = PACKAGE / "v1"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if GENERATED not in path.parents)
MAX_LINES = 400

# The bracketed letters keep these patterns from matching the file that they stand in.
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:roo[t]|wor[k]|hom[e]/\w+|User[s]/\w+)/")
REGISTRY_HOST = re.compile(
    rb"(?:pyp[i]|pythonhoste[d]|npmj[s]|crate[s]|deb\.debia[n]|proxy\.golan[g])\.(?:or|com|io)"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def project_files() -> list[Path]:
    """Every file that is committed or would be by `git add --all`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in files if path.is_file()]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_fits_the_size_limit(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES, "split it along a decision"


def test_every_package_folder_says_what_it_is_for() -> None:
    folders = {path.parent for path in MODULES}
    silent = [
        name_of(folder)
        for folder in folders
        if not (init := folder / "__init__.py").is_file()
        or not ast.get_docstring(ast.parse(init.read_text()))
    ]
    assert silent == [], "each folder needs an __init__.py with a docstring"


def test_core_imports_the_standard_library_alone() -> None:
    foreign = []
    for path in (PACKAGE / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            foreign += [
                f"{name_of(path)}:{node.lineno} imports {name}"
                for name in names
                if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("sidecar.core")
            ]
    assert foreign == []


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY_HOST], ids=["machine-path", "registry-host"])
def test_no_file_names_a_place_of_one_machine(pattern: re.Pattern[bytes]) -> None:
    found = [
        f"{name_of(path)}:{number}: {line.decode(errors='replace').strip()}"
        for path in project_files()
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []

"""Where scenarios write what they measured: a line each in build/scenarios.jsonl."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

FIGURES = Path(__file__).resolve().parents[4] / "build" / "scenarios.jsonl"


@pytest.fixture
def record(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Write figures of this scenario; `make soak` shows them as well."""

    def write(**figures: float) -> None:
        rounded = {name: round(figure, 5) for name, figure in figures.items()}
        line = json.dumps({"scenario": request.node.name, **rounded})
        FIGURES.parent.mkdir(exist_ok=True)
        with FIGURES.open("a") as file:
            file.write(line + "\n")
        if request.node.get_closest_marker("soak"):
            with capsys.disabled():
                print(f"\n{line}")

    return write

import pytest

from tests.unit.pipeline.ways import Way, generated, streamed


@pytest.fixture(params=[generated, streamed], ids=["generate", "stream"])
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found

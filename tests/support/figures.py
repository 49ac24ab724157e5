"""What the telemetry port of a sidecar says: its figures, and whether it is ready."""

from collections.abc import Iterator, Mapping, Sequence

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


async def get(address: str, path: str) -> tuple[int, str]:
    """Status and text of a page of the port at `address`."""
    async with aiohttp.ClientSession(f"http://{address}") as client, client.get(path) as response:
        return response.status, await response.text()


async def scrape(address: str) -> "Figures":
    """All figures of this moment."""
    status, text = await get(address, "/metrics")
    assert status == 200, text
    return Figures(text)


class Figures:
    """One reading of /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        families = text_string_to_metric_families(text)
        self._samples = [
            (sample.name, sample.labels, sample.value) for family in families for sample in family.samples
        ]

    def of(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels."""
        return sum(value for _, value in self._fitting(name, labels))

    def labels_of(self, name: str, **labels: str) -> Sequence[Mapping[str, str]]:
        """The labels of every such sample above zero."""
        return [known for known, value in self._fitting(name, labels) if value]

    def _fitting(self, name: str, labels: Mapping[str, str]) -> Iterator[tuple[Mapping[str, str], float]]:
        for sampled, known, value in self._samples:
            if sampled == name and labels.items() <= known.items():
                yield known, value

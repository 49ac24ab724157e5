"""What the oracle's tests share: google-genai's own requests, heard once for all of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from sidecar.core.policy import Api
from tests.contract.oracle import handpicked, requests
from tests.contract.oracle.requests import Case
from tests.contract.oracle.wires import wires
from tests.support.upstream import Request

CASES = [*handpicked.handpicked(), *requests.mechanical()]


@dataclass(frozen=True)
class Heard:
    """One case on one API: what google-genai sent, None when it does not send such a thing there."""

    case: Case
    request: Request | None


async def hear(api: Api) -> list[Heard]:
    """Have google-genai make every request that is for this API."""
    heard: list[Heard] = []
    async with wires(api) as on:
        for case in CASES:
            if case.api not in (None, api) or requests.is_googles_own_affair(case, api):
                continue
            try:
                said = await on.said_by_google(case.method, case.model, case.contents, case.config)
            except ValueError:
                heard.append(Heard(case, None))
            else:
                heard.append(Heard(case, said))
    return heard


@pytest.fixture(scope="session")
def corpus() -> Mapping[Api, list[Heard]]:
    """Every case on every API that it is for."""
    with asyncio.Runner() as runner:
        return {api: runner.run(hear(api)) for api in Api}

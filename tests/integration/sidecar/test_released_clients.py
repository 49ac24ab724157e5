"""Clients of every release still work: each released image makes a client, which calls every RPC it knows."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from tests.support import facts
from tests.support.rpc import PATIENCE_S
from tests.support.sidecar import serving

IMAGES = sorted((Path(__file__).parents[3] / "protos" / "released").glob("*.binpb"))
ASKED = {"model": facts.MODEL, "prompt": "hello"}
ASKED_OTHERWISE = {"EmbedContent": {"model": "gemini-embedding-001", "prompt": "hello"}, "ListModels": {}}


def methods(image: Path) -> list[MethodDescriptor]:
    """Every RPC of an image, with the messages as they were then."""
    pool = DescriptorPool()
    services = []
    for file in FileDescriptorSet.FromString(image.read_bytes()).file:
        pool.Add(file)
        services += [pool.FindServiceByName(f"{file.package}.{service.name}") for service in file.service]
    return [method for service in services for method in service.methods]


async def call(channel: grpc.aio.Channel, method: MethodDescriptor) -> list[Any]:
    """The answers to the simplest request."""
    request_type, reply_type = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    fields = ASKED_OTHERWISE.get(method.name, ASKED)
    known = {name: value for name, value in fields.items() if name in method.input_type.fields_by_name}
    path = f"/{method.containing_service.full_name}/{method.name}"
    serializers = (request_type.SerializeToString, reply_type.FromString)
    if not method.server_streaming:
        return [await channel.unary_unary(path, *serializers)(request_type(**known), timeout=PATIENCE_S)]
    replies: list[Any] = []
    stream = channel.unary_stream(path, *serializers)(request_type(**known), timeout=PATIENCE_S)
    async for reply in stream:
        replies.append(reply)
        if method.name.startswith("Watch"):  # never ends by itself
            stream.cancel()
            break
    return replies


@pytest.mark.parametrize("image", IMAGES, ids=[image.stem for image in IMAGES])
async def test_a_client_of_a_release_calls_every_rpc_that_it_knows(image: Path) -> None:
    async with serving() as served:
        known = methods(image)
        found = [method for method in known if method.name != "Drain"]  # after which nothing else is answered
        last = [method for method in known if method not in found]
        answers = await asyncio.gather(*(call(served.channel, method) for method in found))
        answers += [await call(served.channel, method) for method in last]
    by_name = dict(zip([method.name for method in (*found, *last)], answers, strict=True))
    assert all(by_name.values())
    (whole,) = by_name["Generate"]
    assert whole.candidates[0].content.parts[0].text
    assert by_name["StreamGenerate"][-1].usage_metadata.total_token_count > 0


def test_there_is_an_image_of_the_protos_as_they_are() -> None:
    assert [method.full_name for method in methods(IMAGES[-1])] == [
        *[f"sidecar.v1.AdminService.{name}" for name in ("Drain", "Watch", "Explain")],
        *[
            f"sidecar.v1.GeminiService.{name}"
            for name in (
                "Generate",
                "StreamGenerate",
                "CountTokens",
                "EmbedContent",
                "ListModels",
                "GetModel",
            )
        ],
        "sidecar.v1.QuotaService.GetQuota",
        "sidecar.v1.QuotaService.WatchQuota",
    ]

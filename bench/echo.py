"""The yardstick: a bare grpc.aio server with the sidecar's own messages and nothing behind them.

It answers what the fake upstream would make the sidecar answer, so that `Generate / echo` is the share of
grpc.aio's speed that the sidecar keeps. Run as a program, it prints its port and serves until it is killed.
"""

import asyncio
import sys
from typing import Any

import grpc.aio
import orjson
import uvloop

from bench.upstream import CHUNKS, stream_json, unary_json
from sidecar.edge.json_reader import JsonReader
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceServicer, add_GeminiServiceServicer_to_server
from sidecar.v1.generate_pb2 import (
    GenerateRequest,
    GenerateResponse,
    StreamGenerateRequest,
    StreamGenerateResponse,
)


class Echo(GeminiServiceServicer):
    """Answers at once."""

    def __init__(self) -> None:
        self._answer = GenerateResponse()
        JsonReader(GenerateResponse).read(orjson.loads(unary_json()), self._answer)
        self._chunks = [StreamGenerateResponse() for _ in range(CHUNKS)]
        for number, chunk in enumerate(self._chunks):
            JsonReader(StreamGenerateResponse).read(orjson.loads(stream_json(number)), chunk)

    async def Generate(self, request: GenerateRequest, context: Any) -> GenerateResponse:
        """The canned answer."""
        return self._answer

    async def StreamGenerate(self, request: StreamGenerateRequest, context: Any) -> None:
        """The canned chunks."""
        for chunk in self._chunks:
            await context.write(chunk)


async def serve() -> None:
    """Serve until killed; prints the port first."""
    server = grpc.aio.server()
    add_GeminiServiceServicer_to_server(Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())

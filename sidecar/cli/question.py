"""What `call` asks: the command line as a request."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import click

from sidecar.cli.channel import open_channel
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import (
    GenerateRequest,
    GenerateResponse,
    StreamGenerateRequest,
    StreamGenerateResponse,
)

Message: TypeAlias = GenerateResponse | StreamGenerateResponse
Request = TypeVar("Request", GenerateRequest, StreamGenerateRequest)

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt and all that goes with it; the fields are the parameters of `call`."""

    prompt: str
    model: str
    system: str | None
    max_tokens: int | None
    temperature: float | None
    address: str
    timeout: float | None
    """Seconds; None leaves it to the sidecar."""
    request_id: str | None
    stream: bool

    def ask(self) -> Iterator[Message]:
        """The answer, in one message or many. Raises grpc.RpcError; closing the iterator cancels the call."""
        metadata = (("x-request-id", self.request_id),) if self.request_id else ()
        with open_channel(self.address) as channel:
            stub = GeminiServiceStub(channel)
            if self.stream:
                request = self._request(StreamGenerateRequest)
                yield from stub.StreamGenerate(request, timeout=self.timeout, metadata=metadata)
            else:
                # The plain call would not wake for Ctrl-C before the answer is there.
                answer = stub.Generate.future(
                    self._request(GenerateRequest), timeout=self.timeout, metadata=metadata
                )
                yield answer.result()

    def _request(self, kind: type[Request]) -> Request:
        request = kind(model=self.model, prompt=self.prompt)
        if self.system is not None:
            request.system_instruction.parts.add(text=self.system)
        if self.max_tokens is not None:
            request.generation_config.max_output_tokens = self.max_tokens
        if self.temperature is not None:
            request.generation_config.temperature = self.temperature
        return request


def prompt_from_stdin() -> str:
    """All of standard input. Raises click.UsageError when it is no text."""
    content: bytes = sys.stdin.buffer.read()
    try:
        prompt = content.decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the prompt on standard input is not UTF-8: byte {error.start + 1}") from None
    if not prompt.strip():
        raise click.UsageError("the prompt on standard input is empty")
    return prompt

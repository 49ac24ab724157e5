"""How `call` prints an answer: as text for a person, or as JSON for a program.

The answer goes to standard output and nothing else does; remarks go to standard error. Blocked content is an
answer, so it is a remark and no failure.
"""

import re
import sys
from collections import Counter
from typing import Protocol

import click
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.json_format import MessageToJson

from sidecar.cli.question import Message
from sidecar.config.amounts import format_money
from sidecar.v1.call_pb2 import CallReport
from sidecar.v1.candidate_pb2 import Candidate, FinishReason
from sidecar.v1.safety_pb2 import BlockReason
from sidecar.v1.usage_pb2 import UsageMetadata

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Answer(Protocol):
    """Prints the messages of one call as they come."""

    def show(self, message: Message) -> None:
        """Print the next message."""
        ...

    def break_off(self) -> None:
        """Leave what was printed as it is, on lines of its own: the call has failed."""
        ...

    def end(self, duration_s: float) -> None:
        """Finish a complete answer that took `duration_s`."""
        ...


class JsonAnswer:
    """One message as an indented object, or a stream of them as one object a line."""

    def __init__(self, *, is_stream: bool) -> None:
        self._indent = None if is_stream else 2

    def show(self, message: Message) -> None:
        """Print the message as protobuf's JSON."""
        click.echo(MessageToJson(message, indent=self._indent, ensure_ascii=False))

    def break_off(self) -> None:
        """Nothing: every line is whole."""

    def end(self, duration_s: float) -> None:
        """Nothing: the answer says all."""


class TextAnswer:
    """The text of the first candidate; the rest is counted, and how it was served is a dim last line."""

    def __init__(self) -> None:
        self._is_line_open = False
        self._others: Counter[str] = Counter()
        self._finish = FinishReason.FINISH_REASON_UNSPECIFIED
        self._block = BlockReason.BLOCK_REASON_UNSPECIFIED
        self._usage = UsageMetadata()
        self._report = CallReport()

    def show(self, message: Message) -> None:
        """Print the text that the message adds."""
        for candidate in message.candidates:
            if candidate.index == 0:
                self._show_candidate(candidate)
        self._block = message.prompt_feedback.block_reason or self._block
        if message.HasField("usage_metadata"):
            self._usage = message.usage_metadata
        if message.HasField("call"):
            self._report.MergeFrom(message.call)  # of a stream the cost comes with the end

    def break_off(self) -> None:
        """End the open line."""
        if self._is_line_open:
            click.echo()
            self._is_line_open = False

    def end(self, duration_s: float) -> None:
        """Remark on what a reader would miss and, on a terminal, on how the call was served."""
        self.break_off()
        for remark in self._remarks():
            click.echo(remark, err=True)
        if sys.stderr.isatty():
            click.echo(click.style(self._summary(duration_s), dim=True), err=True)

    def _show_candidate(self, candidate: Candidate) -> None:
        for part in candidate.content.parts:
            kind = part.WhichOneof("data") or ""
            if kind == "text" and not part.thought:
                self._write(part.text)
            elif kind and not part.thought:
                self._others[kind.replace("_", " ")] += 1
        self._finish = candidate.finish_reason or self._finish

    def _write(self, text: str) -> None:
        if sys.stdout.isatty():
            text = _CONTROL.sub("", text)  # a model must not drive the terminal
        if text:
            click.echo(text, nl=False)
            self._is_line_open = not text.endswith("\n")

    def _remarks(self) -> list[str]:
        remarks = [f"({count} x {kind}, shown by --json)" for kind, count in self._others.items()]
        if self._block:
            remarks.append(f"The prompt was refused: {_word(BlockReason, self._block)}")
        if self._finish not in (FinishReason.FINISH_REASON_STOP, FinishReason.FINISH_REASON_UNSPECIFIED):
            remarks.append(f"The answer ended early: {_word(FinishReason, self._finish)}")
        return remarks

    def _summary(self, duration_s: float) -> str:
        report, usage = self._report, self._usage
        words = [
            f"{report.served.project}/{report.served.model}",
            f"{usage.prompt_token_count} + {usage.total_token_count - usage.prompt_token_count} tokens",
        ]
        if report.cost.is_priced:
            words.append(format_money(report.cost.micro_dollars))
        in_line_s = report.queue_time.ToMilliseconds() / 1000
        in_line = f" ({in_line_s:.2f} s in line)" if in_line_s >= 0.01 else ""
        return ", ".join((*words, f"{duration_s:.2f} s{in_line}", report.request_id))


def _word(enum: EnumTypeWrapper, number: int) -> str:
    """An enum value as Gemini writes it; the number itself when it is newer than this program."""
    if number not in enum.values():
        return str(number)
    name: str = enum.Name(number)
    return name.partition("_REASON_")[2]

"""Types of command-line values: each converts a text or says in one line why it cannot."""

import re
from typing import Any

import click

from sidecar.config.faults import Unacceptable
from sidecar.config.units import parse_duration, split_address


class Words(click.ParamType[str]):
    """Text that can be sent: UTF-8, and not empty."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what protobuf would."""
        try:
            str(value).encode()
        except UnicodeEncodeError:
            self.fail("is not UTF-8", param, ctx)
        if not str(value).strip():
            self.fail("is empty", param, ctx)
        return str(value)


class Address(click.ParamType[str]):
    """Where a sidecar listens."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is neither host:port nor unix:PATH."""
        target = str(value)
        if target.startswith("unix:"):
            return target
        try:
            split_address(target)
        except Unacceptable as refusal:
            self.fail(f"{target} {refusal.reason}: {refusal.remedy}, or unix:PATH", param, ctx)
        return target


class Duration(click.ParamType[float]):
    """A duration, in seconds once converted."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse what is not above zero or not a duration at all."""
        try:
            seconds = parse_duration(value)
        except Unacceptable as refusal:
            self.fail(f"{value} {refusal.reason}: {refusal.remedy}", param, ctx)
        if seconds <= 0:
            self.fail("must be above zero", param, ctx)
        return seconds


class RequestId(click.ParamType[str]):
    """A request id that a sidecar takes over; it would replace any other silently."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is too long or has other characters."""
        if not re.fullmatch(r"[A-Za-z0-9._:/+=-]{1,128}", str(value)):
            self.fail("take up to 128 letters, digits and ._:/+=-", param, ctx)
        return str(value)

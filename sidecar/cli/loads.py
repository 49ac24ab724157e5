"""Loads as the command line has them: NAME=RATE[,KEY=VALUE]..."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import click

from sidecar.config.amounts import parse_count
from sidecar.config.faults import Unacceptable
from sidecar.config.units import parse_duration
from sidecar.limits.simulate_load import Load, Shape

_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_RATE = re.compile(r"(?P<calls>[0-9]{1,9}(?:\.[0-9]{1,6})?)/(?P<per>s|min)")
_TIMES = re.compile(r"x(?P<times>[0-9]{1,4}(?:\.[0-9]{1,6})?)")
_SECONDS = {"s": 1, "min": 60}
_RATE_REMEDY = "write calls such as 40/s or 600/min, or x2 for twice what the quotas of the model sustain"


def _word(text: str) -> str:
    if not text:
        raise Unacceptable("is empty", "leave it out, or say which")
    return text


def _shape(text: str) -> Shape:
    if text not in list(Shape):
        raise Unacceptable("is no shape of a load", f"take {', '.join(Shape)}")
    return Shape(text)


def _tokens(text: str) -> float:
    return 0.0 if text == "0" else float(parse_count(text))


def _patience(text: str) -> float:
    seconds = parse_duration(text)
    if not 0 < seconds <= 600:
        raise Unacceptable("is out of range", "take more than nothing and at most 10m")
    return seconds


_FIELDS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "tokens": ("tokens", _tokens),
    "output": ("output", _tokens),
    "model": ("model", _word),
    "principal": ("principal", _word),
    "priority": ("priority", _word),
    "patience": ("patience_s", _patience),
    "shape": ("shape", _shape),
}
"""By key: the field of a Load, and what makes its value."""


def parse_load(text: str) -> Load:
    """The load in `web=40/s,tokens=1200,shape=edge`. Raises Unacceptable."""
    head, *pairs = text.split(",")
    name, _, rate = head.partition("=")
    if not _NAME.fullmatch(name):
        raise Unacceptable("does not begin with a name", "write NAME=RATE, such as web=40/s")
    fields: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in _FIELDS:
            raise Unacceptable(f"has no {key or 'empty key'}", f"take {', '.join(_FIELDS)}")
        field, parse = _FIELDS[key]
        if field in fields:
            raise Unacceptable(f"says {key} twice", "say it once")
        try:
            fields[field] = parse(value)
        except Unacceptable as refusal:
            raise Unacceptable(f"{key}={value} {refusal.reason}", refusal.remedy) from None
    calls, is_relative = _rate(rate)
    return Load(name, calls, is_relative, **fields)


def _rate(text: str) -> tuple[float, bool]:
    if match := _RATE.fullmatch(text):
        rate, is_relative = float(match["calls"]) / _SECONDS[match["per"]], False
    elif match := _TIMES.fullmatch(text):
        rate, is_relative = float(match["times"]), True
    else:
        raise Unacceptable(f"has no rate in {text!r}" if text else "has no rate", _RATE_REMEDY)
    if not rate:
        raise Unacceptable("asks for nothing", _RATE_REMEDY)
    return rate, is_relative


class LoadType(click.ParamType[Load]):
    """A load of the command line."""

    name = "load"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Load:
        """Refuse what is no load, and say what it lacks."""
        try:
            return parse_load(str(value))
        except Unacceptable as refusal:
            self.fail(f"{value}: {refusal.reason}: {refusal.remedy}", param, ctx)

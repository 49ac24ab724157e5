import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config.faults import Unacceptable
from sidecar.config.units import (
    format_duration,
    format_size,
    is_loopback,
    parse_duration,
    parse_size,
    split_address,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("5s", 5), ("10m", 600), ("1h", 3600), ("1.5s", 1.5), ("2", 2), (3, 3), (0.5, 0.5)],
)
def test_a_duration_is_read_in_seconds(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "5 sec", "1m30s", "-1s", "1e3", "5S", "٣s", True, None, [5], float("nan"), float("inf")]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(Unacceptable, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size_bytes"), [("32MiB", 32 << 20), ("64KiB", 64 << 10), ("1GiB", 1 << 30), ("7B", 7), (9, 9)]
)
def test_a_size_is_read_in_bytes(text: object, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MiB", "5MB", "1.5MiB", "-1", 1.5, False, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(Unacceptable, match="is not a size"):
        parse_size(text)


@given(st.integers(min_value=1, max_value=24 * 3600 * 1000))
def test_a_printed_duration_reads_as_itself(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@given(st.integers(min_value=0, max_value=1 << 32))
def test_a_printed_size_reads_as_itself(size_bytes: int) -> None:
    assert parse_size(format_size(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:50051", ("127.0.0.1", 50051)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_an_address_has_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize(
    "address", ["", "50051", ":50051", "::1:50051", "host:", "host:65536", "ho st:1", "h:1x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Unacceptable):
        split_address(address)


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "", "127.1"]))  # noqa: S104

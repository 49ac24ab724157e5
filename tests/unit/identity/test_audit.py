"""The audit trail: what is in it, how one sees that something is missing, and how it is rotated."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sidecar.core.audit import AuditKind, AuditRecord, Occasion, administered, denied, policy_refused
from sidecar.core.errors import PermissionDenied, Unauthenticated
from sidecar.core.principal import Principal
from sidecar.identity.audit import AuditTrail, NoAudit, RotatedFile

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LIMIT = 1 << 20


def trail(path: Path, limit_bytes: int = LIMIT, keep: int = 2, capacity: int = 1000) -> AuditTrail:
    return AuditTrail(RotatedFile(path, limit_bytes, keep), now=lambda: NOW, capacity=capacity)


def event(number: int) -> AuditRecord:
    return AuditRecord(AuditKind.POLICY, {"digest": f"{number:04}"})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_records_are_numbered_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    kept = trail(path)
    kept.record(event(1))
    kept.close()
    first, last = lines(path)
    assert first == {
        "time": "2026-11-26T12:00:00.000+00:00",
        "start": first["start"],
        "seq": 1,
        "event": "policy",
        "digest": "0001",
    }
    assert (last["seq"], last["event"], last["start"]) == (2, "stopped", first["start"])
    assert path.stat().st_mode & 0o027 == 0


def test_each_start_has_an_id_and_numbers_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for _ in range(2):
        trail(path).close()
    first, second = lines(path)
    assert first["start"] != second["start"]
    assert (first["seq"], second["seq"]) == (1, 1)


class Held(RotatedFile):
    """A file that takes nothing until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, LIMIT, 2)
        self.asked = threading.Event()
        self.go = threading.Event()
        self.failures = 0

    def write(self, lines: list[bytes]) -> None:
        self.asked.set()
        assert self.go.wait(30)
        if self.failures:
            self.failures -= 1
            raise OSError(28, "the disk is full")
        super().write(lines)


def test_what_finds_the_queue_full_is_counted_and_its_number_missing(tmp_path: Path) -> None:
    held = Held(tmp_path / "audit.jsonl")
    kept = AuditTrail(held, now=lambda: NOW, capacity=3)
    kept.record(event(1))
    assert held.asked.wait(30)  # the writer has taken the first: three more have room
    for number in range(2, 8):
        kept.record(event(number))
    assert kept.dropped == 3
    held.go.set()
    kept.close(30)
    numbers = [line["seq"] for line in lines(tmp_path / "audit.jsonl")]
    assert numbers[:4] == [1, 2, 3, 4]
    assert "3 dropped" in repr(kept) or "4 dropped" in repr(kept)  # the end may have found it full too


def test_what_the_disk_does_not_take_is_counted_and_its_number_missing(tmp_path: Path) -> None:
    held = Held(tmp_path / "audit.jsonl")
    held.failures = 1
    kept = AuditTrail(held, now=lambda: NOW)
    kept.record(event(1))
    assert held.asked.wait(30)
    held.go.set()
    kept.close(30)
    assert kept.dropped >= 1
    assert [line["seq"] for line in lines(tmp_path / "audit.jsonl")] == list(range(kept.dropped + 1, 3))


def test_a_file_above_its_limit_is_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    kept = trail(path, limit_bytes=300)
    for number in range(20):
        kept.record(event(number))
    kept.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert all(file.stat().st_size <= 300 for file in files)
    numbers = [line["seq"] for file in reversed(files) for line in lines(file)]
    assert numbers == list(range(numbers[0], 22))
    assert numbers[0] > 1


def test_a_line_that_a_crash_cut_short_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"seq": 1}\n{"seq": 2, "ev')
    trail(path).close()
    cut, whole = path.read_text().splitlines()[1:]
    assert cut == '{"seq": 2, "ev'
    assert json.loads(whole)["event"] == "stopped"


def test_a_file_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for path in (tmp_path, tmp_path / "link", tmp_path / "nowhere" / "audit.jsonl"):
        with pytest.raises(OSError):  # noqa: PT011 - which one is for the system to say
            trail(path)


def test_a_file_that_was_taken_away_under_a_full_disk_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    file = RotatedFile(path, LIMIT, 2)
    file.write([b"one\n"])
    os.remove(path)
    file.close()
    file.write([b"two\n"])
    file.close()
    assert path.read_bytes() == b"two\n"


def test_texts_are_cut_and_lines_stay_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    kept = trail(path)
    kept.record(policy_refused("d1", ["a\nb", "x" * 5000]))
    kept.close()
    refused = lines(path)[0]["refused"]
    assert refused.startswith("a\nb; xxx")
    assert len(refused) == 1000


def test_no_text_can_end_a_line_or_the_trail(tmp_path: Path) -> None:
    """Readers split lines at more than a line feed, and some texts no encoding takes."""
    path = tmp_path / "audit.jsonl"
    kept = trail(path)
    for text in ("a\u2028b", "a\x85b", "a\u202eb", "a\ud800b"):
        kept.record(AuditRecord(AuditKind.POLICY, {"digest": text}))
    kept.close()
    assert [line.get("digest") for line in lines(path)] == [
        "a\u2028b",
        "a\x85b",
        "a\u202eb",
        "a\ud800b",
        None,
    ]
    assert path.read_bytes().isascii()


def test_a_sidecar_may_keep_none() -> None:
    NoAudit().record(event(1))


OCCASION = Occasion("envoy", "Generate", "req-1", "fast")


def test_a_denial_tells_who_where_what_and_why() -> None:
    web = Principal("spiffe://corp/ns/shop/sa/web", "shop", scopes=frozenset({"a"}), subject="jwt:corp/alice")
    refusal = PermissionDenied("rule 'no-code' of the Policy does not allow it", metadata={"rule": "no-code"})
    assert denied(OCCASION, web, refusal).facts == {
        "principal": "spiffe://corp/ns/shop/sa/web",
        "tenant": "shop",
        "subject": "jwt:corp/alice",
        "listener": "envoy",
        "method": "Generate",
        "model": "fast",
        "request_id": "req-1",
        "reason": "PERMISSION_DENIED",
        "rule": "no-code",
        "message": "rule 'no-code' of the Policy does not allow it",
    }


def test_who_is_not_known_has_no_name() -> None:
    record = denied(OCCASION, None, Unauthenticated("the token has expired", "token_expired"))
    assert (record.kind, record.facts["principal"], record.facts["cause"]) == ("denied", "", "token_expired")


def test_administration_tells_who_and_what() -> None:
    record = administered(Occasion("local", "AdminService/Drain", "req-2"), Principal("pod"))
    assert record == AuditRecord(
        AuditKind.ADMINISTERED,
        {"principal": "pod", "listener": "local", "method": "AdminService/Drain", "request_id": "req-2"},
    )

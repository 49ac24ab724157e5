"""`call` against a real server: what is sent, what is printed where, and the exit code."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import Result

from sidecar.cli.answer import TextAnswer
from sidecar.core.errors import (
    FieldViolation,
    InvalidRequest,
    Overloaded,
    QuotaViolation,
    StreamInterrupted,
    UpstreamQuota,
)
from sidecar.v1.call_pb2 import AttemptKind, CallReport
from sidecar.v1.error_pb2 import ErrorReason
from sidecar.v1.generate_pb2 import GenerateResponse
from tests.unit.cli.fake_sidecar import FakeSidecar, reply

PROGRAM = [sys.executable, "-c", "from sidecar.cli.main import main; main(prog_name='gemini-sidecar')"]


@pytest.fixture
def call(run: Callable[..., Result], sidecar: FakeSidecar) -> Callable[..., Result]:
    def ask(*arguments: str, stdin: str | bytes = b"") -> Result:
        return run("call", "--address", sidecar.address, "--model", "fast", *arguments, stdin=stdin)

    return ask


Call = Callable[..., Result]


def test_an_answer_is_printed_and_nothing_else(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.replies = [reply("Hel", "lo")]
    result = call("hi")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Hello\n", "")
    (request,) = sidecar.requests
    assert (request.model, request.prompt) == ("fast", "hi")
    assert not request.HasField("generation_config")
    assert not request.HasField("system_instruction")


@pytest.mark.parametrize("stream", [(), ("--stream",)], ids=["unary", "stream"])
def test_every_flag_is_in_the_request(call: Call, sidecar: FakeSidecar, stream: tuple[str, ...]) -> None:
    sidecar.replies = [reply("ok")]
    flags = ("--system", "be brief", "--max-tokens", "7", "--temperature", "0", "--timeout", "30s")
    assert call("hi", *flags, "--request-id", "abc-1", *stream).exit_code == 0
    (request,) = sidecar.requests
    assert request.system_instruction.parts[0].text == "be brief"
    assert request.generation_config.max_output_tokens == 7
    assert request.generation_config.HasField("temperature")
    assert request.generation_config.temperature == 0
    assert sidecar.metadata["x-request-id"] == "abc-1"
    assert sidecar.remaining_s == pytest.approx(30, abs=10)


def test_a_stream_is_printed_as_one_text(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.replies = [reply("one ", finish=""), reply("two\n", finish=""), reply()]
    assert call("hi", "--stream").stdout == "one two\n"


def test_the_prompt_is_read_from_standard_input(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.replies = [reply("ok")]
    assert call("-", stdin="grüß dich\n").exit_code == 0
    assert sidecar.requests[0].prompt == "grüß dich\n"


def test_json_is_the_message_in_lower_camel_case(call: Call, sidecar: FakeSidecar) -> None:
    message = reply("ok")
    message.call.request_id = "abc"
    sidecar.replies = [message]
    printed = json.loads(call("hi", "--json").stdout)
    assert printed["candidates"][0]["finishReason"] == "FINISH_REASON_STOP"
    assert printed["call"] == {"requestId": "abc"}


def test_json_of_a_stream_is_one_message_a_line(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.replies = [reply("a\nb", finish=""), reply("ü")]
    first, second = map(json.loads, call("hi", "--json", "--stream").stdout.splitlines())
    assert first["candidates"][0]["content"]["parts"] == [{"text": "a\nb"}]
    assert second["candidates"][0]["content"]["parts"] == [{"text": "ü"}]


def test_a_unix_socket_is_an_address_too(run: Call, tmp_path: Path) -> None:
    with FakeSidecar(tmp_path / "s") as sidecar:
        sidecar.replies = [reply("ok")]
        assert run("call", "--address", sidecar.address, "-m", "fast", "hi").stdout == "ok\n"


def test_what_is_no_text_is_remarked_on_standard_error(call: Call, sidecar: FakeSidecar) -> None:
    message = reply("see ", finish="MAX_TOKENS")
    message.candidates[0].content.parts.add(text="secret musing", thought=True)
    message.candidates[0].content.parts.add().function_call.name = "f"
    message.candidates.add(index=1).content.parts.add(text="another candidate")
    sidecar.replies = [message]
    result = call("hi")
    assert result.exit_code == 0
    assert result.stdout == "see \n"
    assert result.stderr == "(1 x function call, shown by --json)\nThe answer ended early: MAX_TOKENS\n"


def test_a_refused_prompt_is_an_answer(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.replies = [GenerateResponse()]
    sidecar.replies[0].prompt_feedback.block_reason = 1
    result = call("hi")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "The prompt was refused: SAFETY\n")


def test_an_error_is_one_block_with_every_detail(call: Call, sidecar: FakeSidecar) -> None:
    error = UpstreamQuota("all projects are out of quota", http_status=429)
    error.retry_after_s = 2.5
    error.quota_violations = (QuotaViolation("projects/main", "10 requests a minute", quota_id="rpm"),)
    sidecar.error = error
    result = call("hi")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: RESOURCE_EXHAUSTED: all projects are out of quota",
        "  reason: UPSTREAM_QUOTA",
        "  http_status: 429",
        "  request_id: req-1",
        "  retry after: 2500ms",
        "  limit rpm: 10 requests a minute",
    ]


def test_bad_fields_are_named(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.error = InvalidRequest(FieldViolation("generation_config.temperature", "is above 2"))
    assert "  generation_config.temperature: is above 2" in call("hi").stderr.splitlines()


def test_a_stream_that_breaks_off_leaves_what_came_and_tells_the_error(
    call: Call, sidecar: FakeSidecar
) -> None:
    sidecar.replies = [reply("half an ", finish="")]
    sidecar.error = StreamInterrupted("the connection was lost")
    result = call("hi", "--stream")
    assert (result.exit_code, result.stdout) == (1, "half an \n")
    assert result.stderr.startswith("Error: ABORTED: the connection was lost\n  reason: STREAM_INTERRUPTED\n")


def test_a_shed_call_is_not_taken_for_an_absent_sidecar(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.error = Overloaded("1000 calls are in flight")
    result = call("hi")
    assert result.stderr.startswith("Error: UNAVAILABLE: 1000 calls are in flight\n")
    assert "retry after: 1s" in result.stderr


def test_the_error_of_a_foreign_server_is_told_too(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.error = grpc.StatusCode.UNIMPLEMENTED
    assert call("hi").stderr == "Error: UNIMPLEMENTED: no details\n"


def test_a_deadline_that_runs_out_is_told(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.hangs = True
    result = call("hi", "--timeout", "50ms")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: DEADLINE_EXCEEDED")


def test_where_no_sidecar_listens_it_says_how_to_start_one(run: Call, tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'nobody'}"
    result = run("call", "--address", address, "--model", "fast", "hi")
    assert result.exit_code == 1
    assert f"no sidecar answers at {address}" in result.stderr
    assert "gemini-sidecar serve" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "complaint"),
    [
        (("hi", "--address", "nowhere"), b"", "nowhere is not host:port"),
        (("hi", "--timeout", "soon"), b"", "soon is not a duration"),
        (("hi", "--timeout", "0"), b"", "must be above zero"),
        (("hi", "--request-id", "a b"), b"", "take up to 128 letters"),
        (("hi", "--max-tokens", "0"), b"", "0 is not in the range"),
        (("hi", "--temperature", "3"), b"", "3.0 is not in the range"),
        (("hi", "--system", " "), b"", "is empty"),
        (("",), b"", "is empty"),
        (("\udcff",), b"", "is not UTF-8"),
        (("-",), b"\n", "the prompt on standard input is empty"),
        (("-",), b"caf\xe9", "the prompt on standard input is not UTF-8: byte 4"),
        ((), b"", "Missing argument 'PROMPT'"),
    ],
)
def test_a_wrong_command_line_asks_nobody(
    call: Call, sidecar: FakeSidecar, arguments: tuple[str, ...], stdin: bytes, complaint: str
) -> None:
    result = call(*arguments, stdin=stdin)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
    assert sidecar.requests == []


@pytest.mark.parametrize("stream", [[], ["--stream"]], ids=["unary", "stream"])
def test_ctrl_c_cancels_the_call_and_exits_130(sidecar: FakeSidecar, stream: list[str]) -> None:
    sidecar.hangs = True
    command = [*PROGRAM, "call", "--address", sidecar.address, "-m", "fast", "hi", *stream]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert sidecar.called.wait(30)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
    assert (program.returncode, out, err) == (130, b"", b"")
    assert sidecar.abandoned.wait(10)


def test_a_reader_that_leaves_ends_the_call_quietly(sidecar: FakeSidecar) -> None:
    sidecar.replies = [reply("x" * 100_000, finish="")] * 20
    command = [*PROGRAM, "call", "--address", sidecar.address, "-m", "fast", "hi", "--stream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.read(1)
        program.stdout.close()
        err = program.stderr.read()
        program.wait(30)
    assert (program.returncode, err) == (1, b"")


def test_on_a_terminal_the_last_line_tells_how_the_call_was_served(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    message = reply("ok")
    message.call.request_id = "abc"
    message.call.served.project, message.call.served.model = "main", "gemini-3.8-flash"
    message.usage_metadata.prompt_token_count, message.usage_metadata.total_token_count = 4, 14
    answer = TextAnswer()
    answer.show(message)
    answer.end(0.5)
    assert "main/gemini-3.8-flash, 4 + 10 tokens, 0.50 s, abc" in capsys.readouterr().err


def test_what_it_cost_and_the_time_in_line_are_told_where_there_are_any(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    first, last = reply("ok", finish=""), reply("")
    first.call.request_id = "abc"
    first.call.queue_time.FromMilliseconds(1250)
    last.call.cost.micro_dollars, last.call.cost.is_priced = 102, True
    answer = TextAnswer()
    answer.show(first)
    answer.show(last)
    answer.end(2)
    assert "tokens, $0.000102, 2.00 s (1.25 s in line), abc" in capsys.readouterr().err


def test_a_model_cannot_drive_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    TextAnswer().show(reply("a\x1b[2Jb\x9b\tc\n"))
    assert capsys.readouterr().out == "a[2Jb\tc\n"


def test_a_finish_reason_newer_than_this_program_is_told_as_a_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message: Any = reply("ok")
    message.candidates[0].finish_reason = 999
    answer = TextAnswer()
    answer.show(message)
    answer.end(1)
    assert "The answer ended early: 999" in capsys.readouterr().err


def attempted(report: CallReport) -> None:
    """Two attempts: one that failed, and one more."""
    first = report.attempts.add(number=1, project="main", model="gemini-3.8-flash", status="UNAVAILABLE")
    first.kind, first.reason = AttemptKind.ATTEMPT_KIND_FIRST, ErrorReason.ERROR_REASON_UPSTREAM_TIMEOUT
    first.latency.FromMicroseconds(30_012_345)
    second = report.attempts.add(number=2, project="eu", location="europe-west4", model="gemini-3.8-flash")
    second.kind, second.status = AttemptKind.ATTEMPT_KIND_RETRY, "OK"
    second.latency.FromMicroseconds(812_000)


ATTEMPTS = """\
#  WHY    PROJECT  LOCATION      MODEL             STATUS       REASON              LATENCY
1  first  main     -             gemini-3.8-flash  UNAVAILABLE  UPSTREAM_TIMEOUT  30012.3ms
2  retry  eu       europe-west4  gemini-3.8-flash  OK           -                   812.0ms
"""


@pytest.mark.parametrize("stream", [(), ("--stream",)], ids=["unary", "stream"])
def test_verbose_tells_whom_the_sidecar_asked(
    call: Call, sidecar: FakeSidecar, stream: tuple[str, ...]
) -> None:
    message = reply("ok")
    attempted(message.call)
    sidecar.replies = [message]
    result = call("hi", "--verbose", *stream)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "ok\n", ATTEMPTS)
    assert call("hi", *stream).stderr == ""


def test_verbose_tells_it_of_a_call_that_failed_too(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.error, sidecar.report = UpstreamQuota("full"), CallReport()
    attempted(sidecar.report)
    result = call("hi", "-v")
    assert result.exit_code == 1
    assert result.stderr.endswith(ATTEMPTS)
    assert "PROJECT" not in call("hi").stderr


def test_verbose_is_silent_where_nothing_was_attempted(call: Call, sidecar: FakeSidecar) -> None:
    sidecar.error = Overloaded("full")
    assert "PROJECT" not in call("hi", "-v").stderr


def test_a_kind_and_a_reason_newer_than_the_program_are_no_failure(call: Call, sidecar: FakeSidecar) -> None:
    message = reply("ok")
    message.call.attempts.add(number=1, project="main", status="OK", kind=99, reason=999)  # type: ignore[arg-type]
    sidecar.replies = [message]
    assert call("hi", "-v").stderr.splitlines()[1].split()[:3] == ["1", "99", "main"]

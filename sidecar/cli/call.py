"""`call`: ask a model once, from the shell, over the same gRPC face that services use."""

import time
from typing import Any

import click
import grpc

from sidecar.cli import exits
from sidecar.cli.answer import JsonAnswer, TextAnswer
from sidecar.cli.attempts import table
from sidecar.cli.channel import address_option
from sidecar.cli.failure import describe, report_of
from sidecar.cli.params import Duration, RequestId, Words
from sidecar.cli.question import STDIN, Question, prompt_from_stdin
from sidecar.v1.call_pb2 import CallReport

_INT32_MAX = 2**31 - 1


@click.command()
@click.argument("prompt", type=Words())
@click.option(
    "--model",
    "-m",
    type=Words(),
    default="gemini-flash-latest",  # the one name that Google keeps pointing at a model in service
    show_default=True,
    help="Alias of the Policy, or model id.",
)
@click.option("--system", type=Words(), help="Standing instructions for the model.")
@click.option("--max-tokens", type=click.IntRange(1, _INT32_MAX), help="Most tokens of the answer.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="0 is the most sober answer.")
@click.option("--stream", is_flag=True, help="Print the answer as it is written.")
@click.option("--verbose", "-v", is_flag=True, help="Tell whom the sidecar asked, and what came of it.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the response as protobuf's JSON (lowerCamelCase keys); with --stream one message a line.",
)
@address_option
@click.option("--timeout", type=Duration(), help="Deadline of the call, such as 30s. Default: the sidecar's.")
@click.option(
    "--request-id", type=RequestId(), help="Names the call in logs. Default: the sidecar makes one."
)
@click.pass_context
def command(context: click.Context, /, as_json: bool, verbose: bool, **given: Any) -> None:
    """Ask a model once and print the answer.

    PROMPT is the question; `-` reads it from standard input. The answer goes to standard output, remarks and
    errors to standard error. A stream that breaks off leaves what came, then tells the error.

    \b
    Exit codes: 0 answered (a blocked answer is one), 1 the call failed,
                2 wrong command line, 130 interrupted.
    """
    if given["prompt"] == STDIN:
        given["prompt"] = prompt_from_stdin()
    question = Question(**given)
    answer = JsonAnswer(is_stream=question.stream) if as_json else TextAnswer()
    report = CallReport()
    started_at = time.monotonic()
    try:
        for message in question.ask():
            answer.show(message)
            report.attempts.MergeFrom(message.call.attempts)
    except grpc.RpcError as error:
        answer.break_off()
        click.echo(describe(error, question.address), err=True)
        _tell(report_of(error), is_wanted=verbose)
        context.exit(exits.FAILED)
    answer.end(time.monotonic() - started_at)
    _tell(report, is_wanted=verbose)


def _tell(report: CallReport, *, is_wanted: bool) -> None:
    if is_wanted and report.attempts:
        click.echo(table(report), err=True)

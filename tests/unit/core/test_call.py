"""What a call carries, as it shows itself."""

from sidecar.core.call import Method
from sidecar.core.outcome import Reply, Usage
from tests.support import facts


def test_neither_a_call_nor_a_reply_shows_what_is_said() -> None:
    said = {"parts": [{"text": "a secret"}]}
    call = facts.call(Method.GENERATE, {"contents": [said]})
    reply = Reply({"candidates": [{"content": said}]}, Usage(prompt=3))
    assert "secret" not in repr(call) + repr(reply)
    assert "prompt=3" in repr(reply)

"""Google's JavaScript SDK as a client.

Needs node, and the folder in which `npm install @google/genai` was run, named by GENAI_JS_FOLDER.
"""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

_FOLDER = os.environ.get("GENAI_JS_FOLDER", "")

pytestmark = [
    pytest.mark.optional,
    pytest.mark.skipif(
        not (_FOLDER and shutil.which("node")),
        reason="needs node, and GENAI_JS_FOLDER: where `npm install @google/genai` was run",
    ),
]


async def test_the_javascript_sdk_reads_what_the_emulator_says(emulator):
    script = Path(__file__).with_name("client.mjs")
    program = await asyncio.create_subprocess_exec(
        "node", str(script), emulator.base_url, _FOLDER, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await program.communicate()
    assert program.returncode == 0
    read = json.loads(output)
    assert read["unary"]["finish"] == "STOP"
    assert read["stream"]["text"] == read["unary"]["text"]
    assert read["stream"]["chunks"] > 1
    assert read["call"] == "weather"
    assert read["schema"]["pages"] >= 10
    assert read["counted"] == read["unary"]["tokens"]
    assert read["embedded"] == [8, 8]
    assert (read["file"]["state"], read["file"]["size"]) == ("ACTIVE", "32000")
    assert {"modality": "AUDIO", "tokenCount": 64} in read["file"]["details"]
    assert read["cache"]["made"] == read["cache"]["used"] > 4096
    assert read["errors"] == [429, 503, None]

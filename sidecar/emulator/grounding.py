"""What comes of search and URL tools: sources for the answer, and the pages that the prompt names.

Decides groundingMetadata, urlContextMetadata and the tokens that fetched pages cost. Nothing is searched or
fetched: sources lie under `example.com`, pages are taken from the prompt as they are written.
"""

from __future__ import annotations

import re

from sidecar.emulator.errors import Json
from sidecar.emulator.script import without_directives
from sidecar.emulator.tokens import request_parts

_SEARCHES = ("googleSearch", "googleSearchRetrieval", "enterpriseWebSearch")
_URL = re.compile(r"https?://[^\s\"'<>\[\](){}]+")
_SENTENCE = re.compile(r"[^.!?]+[.!?]*\s*")
_MAX_QUERY_CHARS = 80
_MAX_URLS = 20
_TOKENS_PER_PAGE = 750
_SOURCES = ("harbour", "lighthouse", "ferry")


def closing_fields(request: Json, text: str) -> Json:
    """Return what the tools of a canonical request add to a candidate that says `text`, when it ends."""
    fields: Json = {}
    if text and _has_tool(request, *_SEARCHES):
        fields["groundingMetadata"] = _grounding(_prompt(request), text)
    if urls := context_urls(request):
        shown = [{"retrievedUrl": url, "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"} for url in urls]
        fields["urlContextMetadata"] = {"urlMetadata": shown}
    return fields


def page_tokens(request: Json) -> int:
    """Return the tokens of the pages that the tool urlContext would have fetched."""
    return _TOKENS_PER_PAGE * len(context_urls(request))


def context_urls(request: Json) -> list[str]:
    """Return the addresses in the prompt, each once, if the request has the tool urlContext."""
    if not _has_tool(request, "urlContext"):
        return []
    found = (url.rstrip(".,;:!?") for url in _URL.findall(_prompt(request)))
    return list(dict.fromkeys(found))[:_MAX_URLS]


def _has_tool(request: Json, *names: str) -> bool:
    return any(name in tool for tool in request.get("tools", ()) for name in names)


def _prompt(request: Json) -> str:
    return without_directives(" ".join(part.get("text", "") for part in request_parts(request)))


def _grounding(prompt: str, text: str) -> Json:
    """Return sources in turn for each sentence; positions are bytes, as the API counts them."""
    query = " ".join(prompt.split())[:_MAX_QUERY_CHARS] or "nothing"
    supports, begin = [], 0
    for number, sentence in enumerate(_SENTENCE.findall(text)[: len(_SOURCES)]):
        end = begin + len(sentence.encode())
        supports.append(
            {
                "segment": {"startIndex": begin, "endIndex": end, "text": sentence},
                "groundingChunkIndices": [number],
                "confidenceScores": [0.9],
            }
        )
        begin = end
    return {
        "webSearchQueries": [query],
        "searchEntryPoint": {"renderedContent": '<div class="search">Emulated search</div>'},
        "groundingChunks": [
            {"web": {"uri": f"https://{name}.example.com/", "title": f"{name}.example.com"}}
            for name in _SOURCES[: len(supports)]
        ],
        "groundingSupports": supports,
    }

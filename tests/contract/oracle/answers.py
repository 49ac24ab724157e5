"""Replies as Gemini has been seen to give them, in the wire's own words."""

import base64
from collections.abc import Iterator
from typing import Any

from sidecar.core.call import Method
from sidecar.core.policy import Api
from tests.contract.oracle.replies import CHAT, Answer

Object = dict[str, Any]
PIXELS = base64.b64encode(bytes(range(256)) * 3).decode()
SIGNATURE = base64.b64encode(bytes(range(255, 0, -1)) * 30).decode()
URL_SAFE = base64.urlsafe_b64encode(bytes(range(248, 256)) * 4).decode()

RATINGS = [
    {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"},
    {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "HIGH", "blocked": True},
]
SCORES = [
    {
        "category": "HARM_CATEGORY_HARASSMENT",
        "probability": "LOW",
        "probabilityScore": 0.03125,
        "severity": "HARM_SEVERITY_MEDIUM",
        "severityScore": 0.25,
    }
]
GROUNDING = {
    "webSearchQueries": ["weather bern"],
    "searchEntryPoint": {"renderedContent": "<div>chips</div>"},
    "groundingChunks": [
        {"web": {"uri": "https://a.test/1", "title": "a.test"}},
        {"web": {"uri": "https://b.test/2", "title": "b.test"}},
    ],
    "groundingSupports": [
        {
            "segment": {"startIndex": 3, "endIndex": 20, "text": "it snows in Bern"},
            "groundingChunkIndices": [0, 1],
            "confidenceScores": [0.5, 0.75],
        }
    ],
}
USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12}


def says(*parts: Object, finish: str | None = "STOP", **more: Any) -> Object:
    """A candidate of these parts."""
    candidate: Object = {"content": {"parts": list(parts), "role": "model"}, **more}
    return candidate if finish is None else {**candidate, "finishReason": finish}


def one(*parts: Object, finish: str | None = "STOP", **more: Any) -> Object:
    """A reply with one candidate."""
    return {"candidates": [says(*parts, finish=finish, **more)]}


HI: Object = {"text": "hi"}
GENERATED: dict[str, Object] = {
    "a word": one(HI),
    "a word as the developer api says it": {
        **one(HI, index=0),
        "usageMetadata": {**USAGE, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}]},
        "modelVersion": "gemini-3.8-flash",
        "responseId": "abc_-123",
    },
    "a word as vertex says it": {
        **one(HI, avgLogprobs=-0.25),
        "usageMetadata": {**USAGE, "trafficType": "ON_DEMAND"},
        "modelVersion": "gemini-3.8-flash",
        "createTime": "2026-11-22T10:11:12.345678Z",
        "responseId": "x",
    },
    "nothing": {},
    "no candidate": {"candidates": []},
    "an empty candidate": {"candidates": [{}]},
    "an empty content": {"candidates": [{"content": {}, "finishReason": "STOP"}]},
    "no parts": {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]},
    "an empty part": one({}),
    "empty text": one({"text": ""}),
    "every script": one({"text": 'naïve 漢字 🙂 \u0000 \u2028 \\ " </script>'}),
    "a long text": one({"text": "lorem ipsum " * 5000}),
    "several parts": one({"text": "a"}, {"text": "b"}, {"text": "c"}),
    "several candidates": {"candidates": [says(HI, index=0), says({"text": "ho"}, index=1, finish="OTHER")]},
    "unfinished": one(HI, finish=None),
    "interim": one(HI, finish="FINISH_REASON_UNSPECIFIED"),
    **{
        f"finished by {reason}": one(HI, finish=reason)
        for reason in (
            *("MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"),
            *("SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL", "NO_IMAGE"),
            *("MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "CONTINUATION", "A_NEWER_REASON"),
        )
    },
    "finished in words": one(HI, finish="SAFETY", finishMessage="it was too much"),
    "to be continued": one(HI, finish="CONTINUATION", continuationToken=SIGNATURE),
    "blocked prompt": {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": RATINGS}},
    "blocked prompt in words": {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"},
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4},
    },
    "blocked by a newer reason": {"promptFeedback": {"blockReason": "A_NEWER_REASON"}},
    "ratings": one(HI, safetyRatings=RATINGS),
    "scores": one(HI, safetyRatings=SCORES),
    "a thought": one({"text": "hm", "thought": True}, HI),
    "a signed thought": one({"text": "", "thoughtSignature": SIGNATURE}),
    "a url-safe signature": one({"text": "x", "thoughtSignature": URL_SAFE}),
    "a call": one({"functionCall": {"name": "weather", "args": {"city": "Bern", "days": 3}}}),
    "a signed call with id": one(
        {
            "functionCall": {"id": "c-1", "name": "weather", "args": {"x": [1.5, None, {"snake_case": []}]}},
            "thoughtSignature": SIGNATURE,
        }
    ),
    "calls": one({"functionCall": {"name": "a"}}, {"functionCall": {"name": "b", "args": {}}}),
    "code": one(
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"text": "one"},
    ),
    "code that failed": one(
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "Traceback", "id": "r"}}
    ),
    "a picture": one({"inlineData": {"mimeType": "image/png", "data": PIXELS}}),
    "a url-safe picture": one({"inlineData": {"mimeType": "image/png", "data": URL_SAFE}}),
    "a file": one({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v.mp4"}}),
    "grounding": one(HI, groundingMetadata=GROUNDING),
    "grounding by maps": one(
        HI,
        groundingMetadata={
            "groundingChunks": [
                {"maps": {"uri": "https://m.test/1", "title": "Zytglogge", "placeId": "places/x"}}
            ],
            "googleMapsWidgetContextToken": "widget",
        },
    ),
    "grounding by one's own corpus": one(
        HI,
        groundingMetadata={
            "groundingChunks": [{"retrievedContext": {"uri": "gs://b/d", "title": "d", "text": "passage"}}],
            "retrievalMetadata": {"googleSearchDynamicRetrievalScore": 0.5},
            "retrievalQueries": ["q"],
        },
    ),
    "grounding without words": one(HI, groundingMetadata={}),
    "addresses": one(
        HI,
        urlContextMetadata={
            "urlMetadata": [
                {"retrievedUrl": "https://a.test", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"},
                {"retrievedUrl": "https://b.test", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_PAYWALL"},
            ]
        },
    ),
    "log probabilities": one(
        HI,
        avgLogprobs=-1.5,
        logprobsResult={
            "chosenCandidates": [{"token": "hi", "tokenId": 17, "logProbability": -0.5}],
            "topCandidates": [
                {"candidates": [{"token": "hi", "tokenId": 17, "logProbability": -0.5}, {"token": "ho"}]}
            ],
        },
    ),
    "certain": one(HI, avgLogprobs=0),
    "token count": one(HI, tokenCount=1),
    "usage": {**one(HI), "usageMetadata": USAGE},
    "usage in full": {
        **one(HI),
        "usageMetadata": {
            "promptTokenCount": 1000,
            "cachedContentTokenCount": 900,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 300,
            "toolUsePromptTokenCount": 40,
            "totalTokenCount": 1360,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 742},
                {"modality": "IMAGE", "tokenCount": 258},
            ],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 900}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 20}],
            "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 40}],
        },
    },
    "usage with its tier": {**one(HI), "usageMetadata": {**USAGE, "serviceTier": "flex"}},
    "usage alone": {"usageMetadata": USAGE},
    "no usage": {**one(HI), "usageMetadata": {}},
    "a provisioned answer": {**one(HI), "usageMetadata": {**USAGE, "trafficType": "PROVISIONED_THROUGHPUT"}},
    "a retired model": {
        **one(HI),
        "modelStatus": {
            "modelStage": "DEPRECATED",
            "message": "move on",
            "retirementTime": "2027-01-01T00:00:00Z",
        },
    },
    "speech": one({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": PIXELS}}),
    "a transcript": one(
        {
            "audioTranscription": {
                "text": "hello",
                "finished": True,
                "languageCode": "en",
                "words": [{"word": "hello", "startOffset": "0.100s", "endOffset": "0.900s"}],
            }
        }
    ),
    "nulls": {
        "candidates": [{"content": None, "finishReason": "STOP", "index": None}],
        "usageMetadata": None,
    },
}

SOURCES = [
    {"startIndex": 3, "endIndex": 9, "uri": "https://a.test", "license": "MIT"},
    {"startIndex": 10, "endIndex": 30},
]
OF_ONE_API: dict[Api, dict[str, Object]] = {
    Api.GEMINI: {"citations": one(HI, citationMetadata={"citationSources": SOURCES})},
    Api.VERTEX: {
        "citations": one(
            HI,
            citationMetadata={
                "citations": [
                    {
                        **SOURCES[0],
                        "title": "A",
                        "publicationDate": {"year": 2026, "month": 11},
                    }
                ]
            },
        )
    },
}

COUNTED: dict[str, Object] = {
    "count": {"totalTokens": 31},
    "count of nothing": {},
    "count with a cache": {
        "totalTokens": 31,
        "cachedContentTokenCount": 20,
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 20}],
    },
    "count of characters": {"totalTokens": 31, "totalBillableCharacters": 120},
    "count by kind": {
        "totalTokens": 289,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 31},
            {"modality": "IMAGE", "tokenCount": 258},
        ],
    },
}

FLASH = {
    "name": "models/gemini-3.8-flash",
    "baseModelId": "gemini-3.8-flash",
    "version": "001",
    "displayName": "Gemini 3.8 Flash",
    "description": "Fast",
    "inputTokenLimit": 1048576,
    "outputTokenLimit": 65536,
    "supportedGenerationMethods": ["generateContent", "countTokens"],
    "temperature": 1,
    "topP": 0.95,
    "topK": 64,
    "maxTemperature": 2,
    "thinking": True,
}
PUBLISHED = {"name": "publishers/google/models/gemini-3.8-flash", "versionId": "default", "launchStage": "GA"}
MODELS: dict[Api, dict[str, tuple[Method, Object]]] = {
    Api.GEMINI: {
        "a model": (Method.GET_MODEL, FLASH),
        "models": (Method.LIST_MODELS, {"models": [FLASH, {"name": "models/x"}]}),
        "a page of models": (Method.LIST_MODELS, {"models": [FLASH], "nextPageToken": "a b=="}),
        "no models": (Method.LIST_MODELS, {"models": []}),
    },
    Api.VERTEX: {
        "a model": (Method.GET_MODEL, PUBLISHED),
        "models": (
            Method.LIST_MODELS,
            {"publisherModels": [PUBLISHED, {"name": "publishers/google/models/x"}]},
        ),
        "a page of models": (
            Method.LIST_MODELS,
            {"publisherModels": [PUBLISHED], "nextPageToken": "a b=="},
        ),
        "no models": (Method.LIST_MODELS, {"publisherModels": []}),
    },
}

VECTOR = [0.25, -1, 0.1, 1e-7]
NEW, OLD = "gemini-embedding-2", "text-embedding-005"
EMBEDDED: dict[Api, dict[str, tuple[str, int, Object]]] = {
    Api.GEMINI: {
        "a vector": (NEW, 1, {"embeddings": [{"values": VECTOR}]}),
        "vectors": (NEW, 2, {"embeddings": [{"values": VECTOR}, {"values": [0, 1]}]}),
        "a vector with usage": (
            NEW,
            1,
            {"embeddings": [{"values": VECTOR}], "usageMetadata": {"promptTokenCount": 3}},
        ),
    },
    Api.VERTEX: {
        "a vector": (NEW, 1, {"embedding": {"values": VECTOR}}),
        "a vector cut short": (
            NEW,
            1,
            {
                "embedding": {"values": VECTOR},
                "truncated": True,
                "usageMetadata": {
                    "promptTokenCount": 3,
                    "totalTokenCount": 3,
                    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
                },
            },
        ),
        "vectors": (NEW, 2, {"embeddings": [{"values": VECTOR}, {"values": [0, 1]}]}),
        "a prediction": (
            OLD,
            1,
            {
                "predictions": [
                    {"embeddings": {"values": VECTOR, "statistics": {"truncated": False, "token_count": 4}}}
                ],
                "metadata": {"billableCharacterCount": 20},
            },
        ),
        "predictions": (
            OLD,
            2,
            {"predictions": [{"embeddings": {"values": VECTOR}}, {"embeddings": {"values": [1]}}]},
        ),
    },
}


def handpicked(api: Api) -> Iterator[Answer]:
    """Every answer that this API gives."""
    for name, json in {**GENERATED, **OF_ONE_API[api]}.items():
        yield Answer(name, api, Method.GENERATE, json)
    for name, json in COUNTED.items():
        yield Answer(name, api, Method.COUNT_TOKENS, json)
    for name, (method, json) in MODELS[api].items():
        yield Answer(name, api, method, json, model="" if method is Method.LIST_MODELS else CHAT)
    for name, (model, count, json) in EMBEDDED[api].items():
        yield Answer(name, api, Method.EMBED_CONTENT, json, model, count)

"""What google-genai and the sidecar say or read differently, and why that stays. There is nothing else.

Requests, what google-genai sends against what both of our transports send:

| google-genai | the sidecar | why |
|---|---|---|
| `generationConfig: {}` beside a request without options | absent from `rest` | Gemini reads {} as none |
| `serviceTier` in the body, on Vertex AI | the header that Vertex AI documents | its body has no such field |
| connects to `mcpServers` itself, on Vertex AI | hands them on | one attempt is one request |
| one instance for each part, to `predict` | one for each content | a content is what gets a vector |

Requests, what the `sdk` transport sends otherwise than `rest`:

| `sdk` | why |
|---|---|
| refuses what google-genai does not send to an API; nothing leaves | Gemini would refuse it as well |
| joins the function declarations of several tools in one, the last | the model sees the same functions |
| rewrites a `responseSchema`: references resolved, properties ordered | the same answers satisfy it |

Replies: google-genai drops what its types or its converters lack. UNREAD names it, and `rest` alone has it.
"""

from collections.abc import Mapping

from google.protobuf.message import Message

from sidecar.core.policy import Api

_NOT_TYPED = "google-genai's types lack it"
_OTHER_API = "google-genai expects it of the other API alone"

UNREAD: Mapping[Api, Mapping[str, str]] = {
    Api.GEMINI: {
        "GenerateResponse:UsageMetadata.service_tier": _NOT_TYPED,
        "CountTokensResponse.prompt_tokens_details": _NOT_TYPED,
        "CountTokensResponse.cache_tokens_details": _NOT_TYPED,
        "CountTokensResponse.total_billable_characters": _NOT_TYPED,
        "Model.base_model_id": _NOT_TYPED,
        "Candidate.finish_message": _OTHER_API,
        "GenerateResponse.create_time": _OTHER_API,
        "Model.labels": _OTHER_API,
    },
    Api.VERTEX: {
        "UsageMetadata.service_tier": _NOT_TYPED,
        "CountTokensResponse.prompt_tokens_details": _NOT_TYPED,
        "CountTokensResponse.cache_tokens_details": _NOT_TYPED,
        "CountTokensResponse.total_billable_characters": _NOT_TYPED,
        "Model.launch_stage": _NOT_TYPED,
        "CountTokensResponse.cached_content_token_count": _OTHER_API,
        "GenerateResponse.model_status": _OTHER_API,
        **{
            f"Model.{field}": _OTHER_API
            for field in (
                *("input_token_limit", "output_token_limit", "supported_generation_methods", "thinking"),
                *("temperature", "max_temperature", "top_p", "top_k"),
            )
        },
    },
}
"""Fields of sidecar.v1 that the `sdk` transport leaves empty, by `Message.field`, with the reason; where it
does so in one reply alone, by `Reply:Message.field`.
"""


def clear_unread(message: Message, api: Api, root: str = "") -> set[str]:
    """Empty the fields that google-genai does not read; returns which of them were set."""
    root = root or message.DESCRIPTOR.name.removeprefix("Stream")
    found: set[str] = set()
    for field, value in message.ListFields():
        name = f"{field.containing_type.name.removeprefix('Stream')}.{field.name}"
        if unread := {name, f"{root}:{name}"} & UNREAD[api].keys():
            message.ClearField(field.name)
            found |= unread
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for child in value if field.is_repeated else [value]:
                found |= clear_unread(child, api, root)
    return found

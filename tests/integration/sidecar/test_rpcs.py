"""The other RPCs through the Developer API: what the caller gets, and what is said upstream."""

import pytest

from sidecar.core.policy import ModelRoute
from sidecar.v1 import count_tokens_pb2, embed_content_pb2, model_pb2
from tests.support import facts
from tests.support.sidecar import serving
from tests.support.upstream import answers
from tests.support.upstream import serving as upstream_serving

MODEL = facts.MODEL


def seen_by(emulator):
    """The last request that the emulator has had."""
    return emulator.observed.requests[-1]


async def test_count_tokens_says_contents_alone_or_the_whole_request(emulator, served):
    counted = await served.gemini.CountTokens(count_tokens_pb2.CountTokensRequest(model=MODEL, prompt="hi"))
    said = seen_by(emulator)
    assert said.path == f"/v1beta/models/{MODEL}:countTokens"
    assert said.body == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    assert counted.total_tokens == counted.prompt_tokens_details[0].token_count > 0
    assert counted.call.served.model == MODEL

    more = await served.gemini.CountTokens(
        count_tokens_pb2.CountTokensRequest(
            model=MODEL,
            prompt="hi",
            system_instruction={"parts": [{"text": "Be brief."}]},
            tools=[{"function_declarations": [{"name": "weather"}]}],
        )
    )
    assert seen_by(emulator).body == {
        "generateContentRequest": {
            "model": f"models/{MODEL}",
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [{"name": "weather"}]}],
        }
    }
    assert more.total_tokens > counted.total_tokens


@pytest.mark.parametrize("texts", [["one"], ["one", "two", "three"]], ids=["single", "batch"])
async def test_embed_content_gives_a_vector_for_each_content(emulator, served, texts):
    reply = await served.gemini.EmbedContent(
        embed_content_pb2.EmbedContentRequest(
            model="gemini-embedding-001",
            contents=[{"parts": [{"text": text}]} for text in texts],
            task_type="EMBEDDING_TASK_TYPE_RETRIEVAL_DOCUMENT",
            title="A title",
            output_dimensionality=256,
        )
    )

    said = seen_by(emulator)
    assert said.path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert said.body == {
        "requests": [
            {
                "model": "models/gemini-embedding-001",
                "content": {"parts": [{"text": text}]},
                "taskType": "RETRIEVAL_DOCUMENT",
                "title": "A title",
                "outputDimensionality": 256,
            }
            for text in texts
        ]
    }
    assert [len(embedding.values) for embedding in reply.embeddings] == [256] * len(texts)
    assert len({tuple(embedding.values) for embedding in reply.embeddings}) == len(texts)


async def test_list_models_pages_to_the_end(emulator, served):
    names, token, pages = [], "", 0
    while True:
        page = await served.gemini.ListModels(model_pb2.ListModelsRequest(page_size=7, page_token=token))
        pages += 1
        names += [model.name for model in page.models]
        assert seen_by(emulator).method == "GET"
        if not (token := page.next_page_token):
            break
    whole = await served.gemini.ListModels(model_pb2.ListModelsRequest())
    assert pages == -(-len(names) // 7)
    assert names == [model.name for model in whole.models]
    assert f"models/{MODEL}" in names


@pytest.mark.parametrize("name", ["quick", MODEL, f"models/{MODEL}"])
async def test_get_model_knows_the_aliases_of_the_policy(emulator, name):
    routes = dict.fromkeys(("quick", MODEL), ModelRoute(MODEL, ("main",)))
    policy = facts.policy(facts.gemini(emulator.base_url), routes=routes)
    async with serving(policy) as served:
        reply = await served.gemini.GetModel(model_pb2.GetModelRequest(model=name))

    assert seen_by(emulator).path == f"/v1beta/models/{MODEL}"
    assert reply.model.name == f"models/{MODEL}"
    assert "generateContent" in reply.model.supported_generation_methods
    assert reply.model.input_token_limit > 0
    assert reply.call.served.model == MODEL


async def test_extra_json_cannot_take_the_place_of_what_is_embedded():
    async with upstream_serving(answers({"embeddings": [{"values": [1.0]}]})) as upstream:
        policy = facts.policy(facts.gemini(upstream.base_url), unknown_fields=True)
        async with serving(policy) as served:
            request = embed_content_pb2.EmbedContentRequest(
                model="m", prompt="checked", extra_json='{"content": {"parts": [{"text": "unchecked"}]}}'
            )
            await served.gemini.EmbedContent(request)
        (said,) = upstream.requests
    assert said.json["requests"][0]["content"] == {"role": "user", "parts": [{"text": "checked"}]}

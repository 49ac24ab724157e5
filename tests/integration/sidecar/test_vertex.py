"""Every RPC through Vertex AI: a service account, a token service, and Vertex's own paths and wordings."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from sidecar.emulator import Emulator
from sidecar.v1 import count_tokens_pb2, embed_content_pb2, generate_pb2, model_pb2, usage_pb2
from tests.support import facts, google_account, upstream
from tests.support.sidecar import Served, serving

MODEL = facts.MODEL
PLACE = "/v1beta1/projects/acme/locations/europe-west4/publishers/google/models"
CATALOGUE = "/v1beta1/publishers/google/models"
HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

# A customer's own file is all that the method warns of, and an operator's is all that it is given.
pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")


@dataclass(frozen=True)
class World:
    served: Served
    emulator: Emulator
    tokens: upstream.ScriptedUpstream

    @property
    def said(self):
        """The last request that the emulator has had."""
        return self.emulator.observed.requests[-1]


@pytest.fixture
async def world(emulator, tmp_path):
    async with (
        upstream.serving(google_account.grants("token-1")) as tokens,
        serving(vertex_at(emulator.base_url, tokens, tmp_path)) as served,
    ):
        yield World(served, emulator, tokens)


def vertex_at(base_url, tokens, folder):
    account = google_account.credentials_file(folder, tokens.base_url)
    return facts.policy(facts.vertex(base_url, credentials_file=account, api_version="v1beta1"))


async def test_generate_asks_for_the_model_in_project_and_location(world):
    reply = await world.served.gemini.Generate(generate_pb2.GenerateRequest(model=MODEL, prompt="hi"))

    assert world.said.path == f"{PLACE}/{MODEL}:generateContent"
    assert world.said.body == HI
    assert reply.candidates[0].content.parts[0].text
    assert reply.usage_metadata.traffic_type == usage_pb2.TRAFFIC_TYPE_ON_DEMAND
    assert (reply.call.served.project, reply.call.served.location) == ("cloud", "europe-west4")
    assert reply.call.attempts[0].location == "europe-west4"


async def test_stream_generate(world):
    request = generate_pb2.StreamGenerateRequest(model=MODEL, prompt="hi [[emulate: chunks=3]]")
    chunks = [chunk async for chunk in world.served.gemini.StreamGenerate(request)]
    assert world.said.path == f"{PLACE}/{MODEL}:streamGenerateContent"
    assert len(chunks) == 3


@pytest.mark.parametrize(
    ("tier", "header"),
    [("SERVICE_TIER_FLEX", "flex"), ("SERVICE_TIER_PRIORITY", "priority"), ("SERVICE_TIER_STANDARD", None)],
)
async def test_the_service_tier_is_a_header(world, tier, header):
    request = generate_pb2.GenerateRequest(model=MODEL, prompt="hi", service_tier=tier)
    await world.served.gemini.Generate(request)
    assert world.said.headers.get("x-vertex-ai-llm-shared-request-type") == header
    assert world.said.body == HI


async def test_count_tokens_says_system_instruction_and_tools_beside_contents(world):
    instruction = {"parts": [{"text": "Be brief."}]}
    counted = await world.served.gemini.CountTokens(
        count_tokens_pb2.CountTokensRequest(model=MODEL, prompt="hi", system_instruction=instruction)
    )
    assert world.said.path == f"{PLACE}/{MODEL}:countTokens"
    assert world.said.body == HI | {"systemInstruction": instruction}
    assert counted.total_tokens > 0


async def test_embed_content_asks_for_one_or_for_a_batch(world):
    model = "gemini-embedding-2"
    one = embed_content_pb2.EmbedContentRequest(model=model, prompt="hi", output_dimensionality=128)
    single = await world.served.gemini.EmbedContent(one)
    config = {"embedContentConfig": {"outputDimensionality": 128}}
    assert world.said.path == f"{PLACE}/{model}:embedContent"
    assert world.said.body == {"content": HI["contents"][0], **config}
    assert [len(embedding.values) for embedding in single.embeddings] == [128]

    contents = [{"parts": [{"text": text}]} for text in ("one", "two")]
    several = embed_content_pb2.EmbedContentRequest(model=model, contents=contents, output_dimensionality=128)
    batch = await world.served.gemini.EmbedContent(several)
    assert world.said.path == f"{PLACE}/{model}:batchEmbedContents"
    assert world.said.body == {"requests": [{"content": content, **config} for content in contents]}
    assert [len(embedding.values) for embedding in batch.embeddings] == [128, 128]


async def test_an_older_embedding_model_is_asked_to_predict(tmp_path):
    prediction = {"embeddings": {"values": [0.5, -0.5], "statistics": {"token_count": 4, "truncated": True}}}
    async with asked_by_script({"predictions": [prediction]}, tmp_path) as (served, google):
        request = embed_content_pb2.EmbedContentRequest(
            model="text-embedding-005",
            prompt="hi",
            task_type="EMBEDDING_TASK_TYPE_RETRIEVAL_QUERY",
            output_dimensionality=2,
        )
        reply = await served.gemini.EmbedContent(request)

    (said,) = google.requests
    assert said.target == f"{PLACE}/text-embedding-005:predict"
    assert said.json == {
        "instances": [{"content": "hi", "task_type": "RETRIEVAL_QUERY"}],
        "parameters": {"outputDimensionality": 2},
    }
    (embedding,) = reply.embeddings
    assert list(embedding.values) == [0.5, -0.5]
    assert (embedding.statistics.token_count, embedding.statistics.truncated) == (4, True)


async def test_list_models_shows_the_publishers_catalogue_page_by_page(world):
    first = await world.served.gemini.ListModels(model_pb2.ListModelsRequest(page_size=3))
    assert (world.said.method, world.said.path) == ("GET", CATALOGUE)
    second = await world.served.gemini.ListModels(
        model_pb2.ListModelsRequest(page_size=3, page_token=first.next_page_token)
    )
    names = [model.name for page in (first, second) for model in page.models]
    assert len(set(names)) == 6
    assert all(name.startswith("publishers/google/models/") for name in names)
    assert all(model.version and model.launch_stage for model in first.models)


async def test_get_model_is_not_asked_of_the_project(world):
    reply = await world.served.gemini.GetModel(model_pb2.GetModelRequest(model=MODEL))
    assert (world.said.method, world.said.path) == ("GET", f"{CATALOGUE}/{MODEL}")
    assert reply.model.name == f"publishers/google/models/{MODEL}"
    assert reply.model.launch_stage == "GA"


async def test_one_token_serves_all_calls(world):
    for _ in range(3):
        await world.served.gemini.Generate(generate_pb2.GenerateRequest(model=MODEL, prompt="hi"))
    assert world.emulator.observed.received == 3
    assert len(world.tokens.requests) == 1
    assert b"assertion=" in world.tokens.requests[0].body


async def test_the_token_travels_as_bearer_and_no_key_with_it(tmp_path):
    async with asked_by_script(upstream.said("ok", "STOP"), tmp_path) as (served, google):
        await served.gemini.Generate(generate_pb2.GenerateRequest(model=MODEL, prompt="hi"))
    (said,) = google.requests
    assert said.headers["authorization"] == "Bearer token-1"
    assert "x-goog-api-key" not in said.headers


@asynccontextmanager
async def asked_by_script(answer, folder):
    async with (
        upstream.serving(google_account.grants("token-1")) as tokens,
        upstream.serving(upstream.answers(answer)) as google,
        serving(vertex_at(google.base_url, tokens, folder)) as served,
    ):
        yield served, google

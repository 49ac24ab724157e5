"""The catalogue and its listing."""

import base64

import pytest

from sidecar.emulator.errors import ApiError
from sidecar.emulator.models import ALIASES, MODELS, RETIRED, find_model, list_models


def test_aliases_exist_on_the_beta_versions_only():
    assert find_model("gemini-flash-latest", "v1beta") is MODELS["gemini-3.8-flash"]
    assert find_model("gemini-flash-latest", "v1") is None
    assert find_model("gemini-3.8-flash", "v1") is MODELS["gemini-3.8-flash"]


def test_aliases_and_successors_name_models_of_the_catalogue():
    assert {*ALIASES.values(), *RETIRED.values()} <= set(MODELS)
    assert not set(RETIRED) & set(MODELS)


@pytest.mark.parametrize("publisher", [False, True])
def test_pages_follow_each_other_to_the_end(publisher):
    names, token, pages = [], "", 0
    while token or not pages:
        page = list_models("v1beta", "5", token, publisher=publisher)
        names += [model["name"] for model in page["publisherModels" if publisher else "models"]]
        token, pages = page.get("nextPageToken", ""), pages + 1
    assert len(names) == len(set(names)) == len(MODELS) + len(ALIASES)
    assert pages == -(-len(names) // 5)


def test_a_listing_without_a_size_shows_all_that_fit_on_a_default_page():
    assert "nextPageToken" not in list_models("v1", "", "", publisher=False)
    assert list_models("v1", "0", "", publisher=False) == list_models("v1", "", "", publisher=False)


@pytest.mark.parametrize(
    ("size", "token", "field"),
    [
        ("ten", "", "page_size"),
        ("-1", "", "page_size"),
        ("", "garbage", "page_token"),
        ("", base64.urlsafe_b64encode(b"page:999").decode(), "page_token"),
        ("", base64.urlsafe_b64encode(b"\xff").decode(), "page_token"),
    ],
)
def test_a_bad_page_size_or_token_is_refused(size, token, field):
    with pytest.raises(ApiError) as refusal:
        list_models("v1", size, token, publisher=False)
    assert refusal.value.details[0]["fieldViolations"][0]["field"] == field


def test_a_model_is_shown_as_models_get_shows_it():
    shown = MODELS["gemini-3.8-flash"].as_developer_json()
    assert shown["name"] == "models/gemini-3.8-flash"
    assert (shown["inputTokenLimit"], shown["outputTokenLimit"]) == (1_048_576, 65_536)
    assert shown["supportedGenerationMethods"] == [
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "createCachedContent",
    ]
    assert shown["thinking"] is True
    assert "thinking" not in MODELS["gemini-embedding-001"].as_developer_json()

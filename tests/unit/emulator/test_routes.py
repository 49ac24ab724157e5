"""Which paths exist, and what they name."""

import pytest

from sidecar.emulator.routes import Face, Operation, find_route

_VERTEX = "projects/p/locations/us-central1/publishers/google/models"


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize(
    "method",
    ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"],
)
def test_the_developer_api_has_its_methods_on_all_versions(version, method):
    route = find_route("POST", f"/{version}/models/gemini-3.8-flash:{method}")
    assert route is not None
    assert (route.face, route.version, route.operation.value) == (Face.DEVELOPER, version, method)
    assert (route.model, route.resource) == ("gemini-3.8-flash", "models/gemini-3.8-flash")


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize(
    "method", ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "predict"]
)
def test_vertex_ai_has_its_methods_under_a_project_and_without(version, method):
    route = find_route("POST", f"/{version}/{_VERTEX}/m:{method}")
    assert route is not None
    assert (route.face, route.operation.value, route.resource) == (Face.VERTEX, method, f"{_VERTEX}/m")
    express = find_route("POST", f"/{version}/publishers/google/models/m:{method}")
    assert express is not None
    assert (express.face, express.model) == (Face.EXPRESS, "m")


@pytest.mark.parametrize(
    ("path", "face", "operation"),
    [
        ("/v1/models", Face.DEVELOPER, Operation.LIST_MODELS),
        ("/v1beta/models/m", Face.DEVELOPER, Operation.GET_MODEL),
        ("/v1beta1/publishers/google/models", Face.EXPRESS, Operation.LIST_MODELS),
        ("/v1beta1/publishers/google/models/m", Face.EXPRESS, Operation.GET_MODEL),
        (f"/v1/{_VERTEX}/m", Face.VERTEX, Operation.GET_MODEL),
    ],
)
def test_models_are_listed_and_shown(path, face, operation):
    route = find_route("GET", path)
    assert route is not None
    assert (route.face, route.operation) == (face, operation)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v2/models"),
        ("GET", "/v1/models/"),
        ("POST", "/v1/models"),
        ("POST", "/v1/models/m"),
        ("POST", "/v1/models/m:predict"),
        ("POST", "/v1/models/m:sing"),
        ("POST", "/v1beta1/models/m:generateContent"),
        ("POST", "/v1/tunedModels/m:generateContent"),
        ("GET", "/v1/models/m:generateContent"),
        ("POST", "/v1/models/a/b:generateContent"),
        ("POST", "/v1/projects/p/publishers/google/models/m:generateContent"),
    ],
)
def test_other_paths_name_nothing(method, path):
    assert find_route(method, path) is None

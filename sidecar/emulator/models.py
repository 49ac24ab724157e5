"""The catalogue: which models exist, what each can do, and how `models.get` and `models.list` show them.

Decides names, limits, methods and thinking levels (state of November 2026) and their order in lists. What a
model says is decided by `reply`, what it counts by `tokens`.

Invariants: aliases exist on v1beta and v1alpha only; a listing has one stable order, so page tokens stay
valid for the life of the process and across processes of one version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from sidecar.emulator.errors import Json
from sidecar.emulator.paging import page_of

_GENERATE = ("generateContent", "streamGenerateContent", "countTokens")
_GENERATE_AND_CACHE = (*_GENERATE, "createCachedContent")
_EMBED = ("embedContent", "batchEmbedContents", "countTokens", "predict")


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue; limits are in tokens.

    `default_level` is the thinking level used when a request names none; empty for a model that does not
    think. `embedding_size` is the length of a vector by default and at most; 0 for a model that does not
    embed.
    """

    name: str
    display_name: str
    version: str
    description: str
    input_limit: int = 1_048_576
    output_limit: int = 65_536
    methods: tuple[str, ...] = _GENERATE
    default_level: str = "MEDIUM"
    embedding_size: int = 0
    early_tiles: bool = False
    """Whether images count as the 258-token tiles of Gemini 2.x and before."""

    @property
    def is_continued(self) -> bool:
        """Whether the model is of the fourth generation, which shares one window between prompt and reply."""
        return self.name.startswith("gemini-4")

    @property
    def reply_limit(self) -> int:
        """The most output tokens of a whole reply, over all its hops."""
        return self.input_limit if self.is_continued else self.output_limit

    def as_developer_json(self) -> Json:
        """Return the model as the Developer API shows it."""
        shown: Json = {
            "name": f"models/{self.name}",
            "baseModelId": self.name,
            "version": self.version,
            "displayName": self.display_name,
            "description": self.description,
            "inputTokenLimit": self.input_limit,
            "outputTokenLimit": self.output_limit,
            "supportedGenerationMethods": [method for method in self.methods if method != "predict"],
        }
        if not self.embedding_size:
            shown |= {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}
            shown["thinking"] = bool(self.default_level)
        return shown

    def as_publisher_json(self) -> Json:
        """Return the model as Vertex AI's model garden shows it."""
        return {
            "name": f"publishers/google/models/{self.name}",
            "versionId": self.version,
            "openSourceCategory": "PROPRIETARY",
            "launchStage": "PUBLIC_PREVIEW" if "preview" in self.name else "GA",
            "publisherModelTemplate": (
                f"projects/{{user-project}}/locations/{{location}}/publishers/google/models/{self.name}"
            ),
        }


def _gemini(name: str, version: str, description: str, level: str, *, early_tiles: bool = False) -> Model:
    display_name = name.replace("-", " ").title()
    # The fourth generation has implicit caches only.
    methods = _GENERATE if name.startswith("gemini-4") else _GENERATE_AND_CACHE
    return Model(
        name,
        display_name,
        version,
        description,
        methods=methods,
        default_level=level,
        early_tiles=early_tiles,
    )


def _embedding(name: str, version: str, description: str, input_limit: int) -> Model:
    display_name = name.replace("-", " ").title()
    return Model(
        name,
        display_name,
        version,
        description,
        input_limit=input_limit,
        output_limit=1,
        methods=_EMBED,
        default_level="",
        embedding_size=3072,
    )


_CATALOGUE = (
    _gemini("gemini-4-carbon", "4-carbon-11-2026", "The all-round model of the fourth generation.", "HIGH"),
    _gemini(
        "gemini-4-argon", "4-argon-10-2026", "The fourth generation's model for everyday work.", "MEDIUM"
    ),
    _gemini("gemini-4-neon", "4-neon-11-2026", "The fourth generation's model for hard problems.", "HIGH"),
    _gemini("gemini-4-hydrogen", "4-hydrogen-11-2026", "The light model of the fourth generation.", "HIGH"),
    _gemini("gemini-3.8-flash", "3.8-flash-09-2026", "Fast, versatile, with adjustable thinking.", "MEDIUM"),
    _gemini("gemini-3.7-flash", "3.7-flash-08-2026", "Fast, versatile, with adjustable thinking.", "MEDIUM"),
    _gemini("gemini-3.6-flash", "3.6-flash-07-2026", "Fast, versatile, with adjustable thinking.", "MEDIUM"),
    _gemini("gemini-3.5-flash", "3.5-flash-05-2026", "Fast and versatile.", "MEDIUM"),
    _gemini("gemini-3.5-flash-lite", "3.5-flash-lite-07-2026", "The smallest of its generation.", "MINIMAL"),
    _gemini("gemini-3.1-flash-lite", "3.1-flash-lite-05-2026", "The smallest of its generation.", "MINIMAL"),
    _gemini("gemini-3.1-pro-preview", "3.1-pro-preview-02-2026", "Preview for hard problems.", "HIGH"),
    _gemini("gemini-3-flash-preview", "3-flash-preview-12-2025", "Preview of a fast model.", "HIGH"),
    _gemini("gemini-2.5-pro", "2.5-pro-06-2025", "Thinks under a token budget.", "HIGH", early_tiles=True),
    _gemini("gemini-2.5-flash", "2.5-flash-06-2025", "Thinks under a token budget.", "LOW", early_tiles=True),
    _gemini("gemini-2.5-flash-lite", "2.5-flash-lite-07-2025", "Small and quick.", "", early_tiles=True),
    _gemini("gemini-3-pro-image", "3-pro-image-05-2026", "Reads and makes images.", ""),
    _gemini("gemini-3.1-flash-image", "3.1-flash-image-05-2026", "Reads and makes images.", ""),
    _embedding("gemini-embedding-001", "001", "Embeds text.", 2048),
    _embedding("gemini-embedding-2", "2", "Embeds text, images, audio and video.", 8192),
)

MODELS: Mapping[str, Model] = MappingProxyType({model.name: model for model in _CATALOGUE})
"""Every model by name, in listing order."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "gemini-flash-latest": "gemini-3.8-flash",
        "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
        "gemini-pro-latest": "gemini-4-carbon",
    }
)
"""Moving names of the beta versions, each with the model that it means now."""

RETIRED: Mapping[str, str] = MappingProxyType(
    {
        "gemini-2.0-flash": "gemini-3.8-flash",
        "gemini-2.0-flash-lite": "gemini-3.5-flash-lite",
        "gemini-1.5-pro": "gemini-4-carbon",
        "gemini-1.5-flash": "gemini-3.8-flash",
    }
)
"""Models that answer 404 with the name of a successor."""


def find_model(name: str, version: str) -> Model | None:
    """Return the model that `name` means on API `version`, or None."""
    if version in ("v1beta", "v1alpha"):
        name = ALIASES.get(name, name)
    return MODELS.get(name)


def _listing(version: str) -> list[Model]:
    models = list(MODELS.values())
    if version in ("v1beta", "v1alpha"):
        models += [
            replace(MODELS[meant], name=alias, display_name=alias.replace("-", " ").title())
            for alias, meant in ALIASES.items()
        ]
    return models


def list_models(version: str, page_size: str, page_token: str, *, publisher: bool) -> Json:
    """Return one page of the catalogue, in Vertex AI's form if `publisher`.

    Raises:
        ApiError: 400 when the page size is no number or the token is not one that this function gave out.
    """
    page, following = page_of(_listing(version), page_size, page_token)
    if publisher:
        return {"publisherModels": [model.as_publisher_json() for model in page]} | following
    return {"models": [model.as_developer_json() for model in page]} | following

"""What a model refuses that others take: thinking settings, penalties, several candidates, prefilled answers,
function calls without their thought signatures.

Decides refusals that depend on the generation of a model; what no model takes is refused by `rules`. State of
November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sidecar.emulator.errors import ApiError, Json, thought_signature_missing
from sidecar.emulator.models import Model

_FOURTH_LEVELS = ("LOW", "MEDIUM", "HIGH", "XHIGH")
_THIRD_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
_LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gemini-3.8-flash": ("LOW", "MEDIUM", "HIGH"),
        "gemini-3.7-flash": ("LOW", "MEDIUM", "HIGH"),
        "gemini-3.1-pro-preview": ("LOW", "MEDIUM", "HIGH"),
        "gemini-2.5-pro": (),
        "gemini-2.5-flash": (),
        "gemini-2.5-flash-lite": (),
    }
)
_BUDGETS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "gemini-2.5-pro": (128, 32_768),
        "gemini-2.5-flash": (0, 24_576),
        "gemini-2.5-flash-lite": (512, 24_576),
    }
)
_AUTOMATIC, _OFF = -1, 0
_MODELS_OWN = "THINKING_LEVEL_UNSPECIFIED"

Violation = tuple[str, str]


def check_prefill(model: Model, contents: list[Json]) -> None:
    """Refuse contents that end with the beginning of the answer, where the model does not take that.

    Raises:
        ApiError: 400.
    """
    if model.is_continued and contents[-1].get("role") == "model":
        text = "Prefilling the model's turn is not supported for this model; end with a turn of the user."
        raise ApiError(400, f"{text} (models/{model.name})")


def check_signatures(model: Model, contents: list[Json]) -> None:
    """Refuse a conversation whose current turn lost a thought signature, where the model needs it.

    A turn begins with what the user says by himself; of the calls that one content holds the first has the
    signature. Whether it is the right one is not checked.

    Raises:
        ApiError: 400.
    """
    if model.early_tiles:
        return
    for content in reversed(contents):
        parts = content["parts"]
        if content.get("role") != "model" and not any("functionResponse" in part for part in parts):
            return
        calls = [part for part in parts if "functionCall" in part]
        if calls and content.get("role") == "model" and not calls[0].get("thoughtSignature"):
            raise thought_signature_missing()


def refused_settings(model: Model, config: Json) -> Iterator[Violation]:
    """Yield what the model refuses of a canonical generationConfig: field and reason."""
    yield from _refused_thinking(model, config.get("thinkingConfig", {}))
    if not model.is_continued:
        return
    for name, field in (("presencePenalty", "presence_penalty"), ("frequencyPenalty", "frequency_penalty")):
        if name in config:
            yield f"generation_config.{field}", f"Penalty is not enabled for models/{model.name}"
    if config.get("candidateCount", 1) > 1:
        text = f"Multiple candidates is not enabled for models/{model.name}"
        yield "generation_config.candidate_count", text


def _refused_thinking(model: Model, thinking: Json) -> Iterator[Violation]:
    path = "generation_config.thinking_config"
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if level == _MODELS_OWN:
        level = None
    if budget is not None and level is not None:
        yield path, "You can only set only one of thinking budget and thinking level."
        return
    if level is not None and level not in _levels(model):
        known = ", ".join(name.lower() for name in _levels(model)) or "none"
        text = f"Thinking level {level} is not supported for this model; supported are: {known}."
        yield f"{path}.thinking_level", text
    if budget is None:
        return
    if model.is_continued:
        text = "Thinking budget is not supported for this model; set thinking_level."
        yield f"{path}.thinking_budget", text
    elif not _is_budget(model, budget):
        low, high = _BUDGETS[model.name]
        text = f"The thinking budget {budget} is invalid. Please choose a value between {low} and {high}."
        yield f"{path}.thinking_budget", text


def _levels(model: Model) -> tuple[str, ...]:
    return _FOURTH_LEVELS if model.is_continued else _LEVELS.get(model.name, _THIRD_LEVELS)


def _is_budget(model: Model, budget: int) -> bool:
    if model.name not in _BUDGETS or budget == _AUTOMATIC:
        return True
    low, high = _BUDGETS[model.name]
    return low <= budget <= high or (budget == _OFF and model.name == "gemini-2.5-flash-lite")

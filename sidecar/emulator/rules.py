"""Whether a well-formed request makes sense to the model: ranges, presence and sizes.

Decides refusals that need the meaning of fields, after `decode` has checked their form and before `reply`
answers.
"""

from __future__ import annotations

from sidecar.emulator.capabilities import check_prefill, check_signatures, refused_settings
from sidecar.emulator.errors import ApiError, Json, bad_request, too_many_input_tokens
from sidecar.emulator.models import Model

_TIERS = ("", "unspecified", "flex", "standard", "priority")
_ROLES = ("", "user", "model", "function")
_MAX_STOP_SEQUENCES = 5
_MAX_CANDIDATES = 8


def check_generate(model: Model, request: Json) -> None:
    """Refuse a canonical generateContent request that the model could not answer.

    Raises:
        ApiError: 400, naming the field and what is allowed.
    """
    check_contents(request, "GenerateContentRequest")
    check_prefill(model, request["contents"])
    check_signatures(model, request["contents"])
    config = request.get("generationConfig", {})
    violations = [*_range_violations(model, config), *refused_settings(model, config)]
    tier = request.get("serviceTier", "")
    if tier.lower() not in _TIERS:
        text = f"Invalid service_tier '{tier}'; it must be one of: flex, standard, priority."
        violations.append(("service_tier", text))
    if "continuationToken" in request and not model.is_continued:
        text = f"Continuation is not supported for models/{model.name}."
        violations.append(("continuation_token", text))
    if violations:
        raise bad_request(violations)


def check_contents(request: Json, message: str) -> None:
    """Refuse a request without contents, with an unknown role, or with an empty part.

    Raises:
        ApiError: 400, naming the field.
    """
    contents = request.get("contents")
    if not contents:
        raise ApiError(400, f"* {message}.contents: contents is not specified\n")
    for index, content in enumerate(contents):
        if content.get("role", "") not in _ROLES:
            raise ApiError(400, "Please use a valid role: user, model.")
        if not content.get("parts"):
            raise ApiError(400, f"* {message}.contents[{index}].parts: contents.parts must not be empty.\n")
        for number, part in enumerate(content["parts"]):
            if not part:
                raise ApiError(
                    400,
                    f"* {message}.contents[{index}].parts[{number}].data: "
                    "required oneof field 'data' must have one initialized field\n",
                )


def check_input_tokens(model: Model, tokens: int) -> None:
    """Refuse a prompt of `tokens` tokens that exceeds the model's window.

    Raises:
        ApiError: 400, naming both figures.
    """
    if tokens > model.input_limit:
        raise too_many_input_tokens(tokens, model.input_limit)


def _range_violations(model: Model, config: Json) -> list[tuple[str, str]]:
    ranges = {
        "maxOutputTokens": (1, model.reply_limit),
        "candidateCount": (1, _MAX_CANDIDATES),
        "temperature": (0, 2),
        "topP": (0, 1),
    }
    violations = [
        (
            f"generation_config.{name}",
            f"Unable to submit request because it has a {name} value of {config[name]} but the supported "
            f"range is from {low} (inclusive) to {high} (inclusive). Update the value and try again.",
        )
        for name, (low, high) in ranges.items()
        if name in config and not low <= config[name] <= high
    ]
    stops = config.get("stopSequences", ())
    if len(stops) > _MAX_STOP_SEQUENCES:
        text = f"Too many stop sequences: {len(stops)}; at most {_MAX_STOP_SEQUENCES} are allowed."
        violations.append(("generation_config.stop_sequences", text))
    if "" in stops:
        violations.append(("generation_config.stop_sequences", "A stop sequence must not be empty."))
    return violations

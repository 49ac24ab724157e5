"""Promises of the contract that no linter knows: twins, room for untyped fields, JSON as text, enum words."""

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tests.unit.v1 import descriptors

OWN = {
    *("CallReport", "ServedBy", "Attempt", "Cost"),
    *("ListModelsRequest", "GetModelRequest", "GetModelResponse"),
    *("GetQuotaRequest", "GetQuotaResponse", "WatchQuotaRequest", "WatchQuotaResponse"),
    *("LimitGroup", "Limit", "LimitLevel"),
    *("DrainRequest", "DrainResponse", "WatchRequest", "WatchResponse", "ExplainRequest", "ExplainResponse"),
}
"""Messages that mirror no upstream object: the sidecar's reports, and calls that are a path upstream."""

STREAMS = {"StreamGenerate", "WatchQuota", "Watch"}

EXTRA_JSON_NUMBER = 99


def shape(message: Descriptor) -> list[tuple[object, ...]]:
    """What the wire and generated code see of a message's fields, by number."""
    return [field_shape(field) for field in sorted(message.fields, key=lambda field: field.number)]


def field_shape(field: FieldDescriptor) -> tuple[object, ...]:
    """The same for one field; a map entry counts by its shape, since its name holds its message's name."""
    target = field.message_type or field.enum_type
    entry = descriptors.map_entry(field)
    type_shape = shape(entry) if entry else target and target.full_name
    oneof = field.containing_oneof and field.containing_oneof.name
    cardinality = (field.is_repeated, field.has_presence, oneof)
    return field.number, field.name, field.json_name, field.type, cardinality, type_shape


@pytest.mark.parametrize("suffix", ["Request", "Response"])
def test_streaming_messages_are_field_for_field_the_unary_ones(suffix: str) -> None:
    messages = descriptors.messages()
    assert shape(messages[f"StreamGenerate{suffix}"]) == shape(messages[f"Generate{suffix}"])


def test_every_message_that_mirrors_upstream_has_extra_json() -> None:
    messages = descriptors.messages()
    found = {name: message.fields_by_name.get("extra_json") for name, message in messages.items()}
    assert {name for name, field in found.items() if field is None} == OWN
    assert {field.number for field in found.values() if field is not None} == {EXTRA_JSON_NUMBER}


def test_json_travels_as_text() -> None:
    for field in descriptors.fields():
        if field.name.endswith(("_json", "_json_schema")):
            assert (field.type, field.is_repeated) == (field.TYPE_STRING, False), field.full_name


def test_no_field_uses_struct() -> None:
    """Struct rounds integers above 2^53 and loses the order of keys."""
    imports = {dependency.name for file in descriptors.files() for dependency in file.dependencies}
    assert "google/protobuf/struct.proto" not in imports


def test_upstream_keys_are_distinct_within_a_message() -> None:
    """Nothing but the name decides the key, so two fields of one key would overwrite each other."""
    for message in descriptors.messages().values():
        keys = [descriptors.upstream_key(field) for field in message.fields]
        assert len(keys) == len(set(keys)), message.full_name


def test_enum_values_carry_the_prefix_and_zero_is_unspecified() -> None:
    for enum in descriptors.enums().values():
        prefix = descriptors.prefix(enum)
        assert enum.values_by_number[0].name == f"{prefix}UNSPECIFIED"
        assert [value.name for value in enum.values if not value.name.startswith(prefix)] == []


def test_every_rpc_has_its_own_request_and_response() -> None:
    services = [service for file in descriptors.files() for service in file.services_by_name.values()]
    assert {service.name for service in services} == {"GeminiService", "QuotaService", "AdminService"}
    for rpc in (rpc for service in services for rpc in service.methods):
        assert rpc.input_type.name == f"{rpc.name}Request"
        assert rpc.output_type.name == f"{rpc.name}Response"
        assert (rpc.client_streaming, rpc.server_streaming) == (False, rpc.name in STREAMS)


def test_error_reasons_fit_error_info() -> None:
    """google.rpc.ErrorInfo.reason is at most 63 characters of UPPER_SNAKE."""
    enum = descriptors.enums()["ErrorReason"]
    reasons = [descriptors.upstream_word(enum, value.name) for value in enum.values]
    assert [reason for reason in reasons if len(reason) > 63 or not reason.replace("_", "").isupper()] == []

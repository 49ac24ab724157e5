"""The contract as descriptors: its messages, fields and enums, and the rules that tie names to upstream's."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

ROOT = Path(__file__).parents[3]
PROTO_PATHS = sorted((ROOT / "protos/sidecar/v1").glob("*.proto"))

_COMMENTED_ENUM = re.compile(r"((?:^//.*\n)+)enum (\w+) \{", re.MULTILINE)


def files() -> list[FileDescriptor]:
    """One descriptor for each proto, imported from the committed code."""
    return [importlib.import_module(f"sidecar.v1.{path.stem}_pb2").DESCRIPTOR for path in PROTO_PATHS]


def messages() -> dict[str, Descriptor]:
    """Every message by name; map entries are left out."""
    return {name: message for file in files() for name, message in file.message_types_by_name.items()}


def enums() -> dict[str, EnumDescriptor]:
    """Every enum by name."""
    return {name: enum for file in files() for name, enum in file.enum_types_by_name.items()}


def fields() -> Iterator[FieldDescriptor]:
    """Every field of every message."""
    for message in messages().values():
        yield from message.fields


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """The entry message behind a map field; None for every other field."""
    message = field.message_type
    return message if message is not None and message.GetOptions().map_entry else None


def prefix(enum: EnumDescriptor) -> str:
    """The enum's name in UPPER_SNAKE, with a trailing underscore: what each of its values begins with."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"


def prefix_keepers() -> set[str]:
    """Names of the enums whose comment says that upstream's words keep the prefix."""
    found = (match for path in PROTO_PATHS for match in _COMMENTED_ENUM.findall(path.read_text()))
    return {name for comment, name in found if "words keep the prefix" in " ".join(comment.split("\n//"))}


def upstream_word(enum: EnumDescriptor, value_name: str) -> str:
    """What upstream calls an enum value."""
    word = value_name if enum.name in prefix_keepers() else value_name.removeprefix(prefix(enum))
    return word.lower() if enum.name == "ServiceTier" else word


def upstream_key(field: FieldDescriptor) -> str:
    """The JSON key under which upstream knows a field."""
    name = field.name.removesuffix("_json")
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)

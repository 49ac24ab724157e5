from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SchemaType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEMA_TYPE_UNSPECIFIED: _ClassVar[SchemaType]
    SCHEMA_TYPE_STRING: _ClassVar[SchemaType]
    SCHEMA_TYPE_NUMBER: _ClassVar[SchemaType]
    SCHEMA_TYPE_INTEGER: _ClassVar[SchemaType]
    SCHEMA_TYPE_BOOLEAN: _ClassVar[SchemaType]
    SCHEMA_TYPE_ARRAY: _ClassVar[SchemaType]
    SCHEMA_TYPE_OBJECT: _ClassVar[SchemaType]
    SCHEMA_TYPE_NULL: _ClassVar[SchemaType]
SCHEMA_TYPE_UNSPECIFIED: SchemaType
SCHEMA_TYPE_STRING: SchemaType
SCHEMA_TYPE_NUMBER: SchemaType
SCHEMA_TYPE_INTEGER: SchemaType
SCHEMA_TYPE_BOOLEAN: SchemaType
SCHEMA_TYPE_ARRAY: SchemaType
SCHEMA_TYPE_OBJECT: SchemaType
SCHEMA_TYPE_NULL: SchemaType

class Schema(_message.Message):
    __slots__ = ("type", "format", "title", "description", "nullable", "enum", "default_json", "example_json", "items", "min_items", "max_items", "properties", "required", "min_properties", "max_properties", "property_ordering", "additional_properties_json", "minimum", "maximum", "min_length", "max_length", "pattern", "any_of", "defs", "ref", "extra_json")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Schema
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Schema, _Mapping]] = ...) -> None: ...
    class DefsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Schema
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Schema, _Mapping]] = ...) -> None: ...
    TYPE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    NULLABLE_FIELD_NUMBER: _ClassVar[int]
    ENUM_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_JSON_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_JSON_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MIN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    MIN_PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    MAX_PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_ORDERING_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_PROPERTIES_JSON_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    MIN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    DEFS_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    type: SchemaType
    format: str
    title: str
    description: str
    nullable: bool
    enum: _containers.RepeatedScalarFieldContainer[str]
    default_json: str
    example_json: str
    items: Schema
    min_items: int
    max_items: int
    properties: _containers.MessageMap[str, Schema]
    required: _containers.RepeatedScalarFieldContainer[str]
    min_properties: int
    max_properties: int
    property_ordering: _containers.RepeatedScalarFieldContainer[str]
    additional_properties_json: str
    minimum: float
    maximum: float
    min_length: int
    max_length: int
    pattern: str
    any_of: _containers.RepeatedCompositeFieldContainer[Schema]
    defs: _containers.MessageMap[str, Schema]
    ref: str
    extra_json: str
    def __init__(self, type: _Optional[_Union[SchemaType, str]] = ..., format: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., nullable: _Optional[bool] = ..., enum: _Optional[_Iterable[str]] = ..., default_json: _Optional[str] = ..., example_json: _Optional[str] = ..., items: _Optional[_Union[Schema, _Mapping]] = ..., min_items: _Optional[int] = ..., max_items: _Optional[int] = ..., properties: _Optional[_Mapping[str, Schema]] = ..., required: _Optional[_Iterable[str]] = ..., min_properties: _Optional[int] = ..., max_properties: _Optional[int] = ..., property_ordering: _Optional[_Iterable[str]] = ..., additional_properties_json: _Optional[str] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., min_length: _Optional[int] = ..., max_length: _Optional[int] = ..., pattern: _Optional[str] = ..., any_of: _Optional[_Iterable[_Union[Schema, _Mapping]]] = ..., defs: _Optional[_Mapping[str, Schema]] = ..., ref: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

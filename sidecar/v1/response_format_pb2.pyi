import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProminentPeople(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROMINENT_PEOPLE_UNSPECIFIED: _ClassVar[ProminentPeople]
    PROMINENT_PEOPLE_ALLOW_PROMINENT_PEOPLE: _ClassVar[ProminentPeople]
    PROMINENT_PEOPLE_BLOCK_PROMINENT_PEOPLE: _ClassVar[ProminentPeople]

class Delivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_UNSPECIFIED: _ClassVar[Delivery]
    DELIVERY_INLINE: _ClassVar[Delivery]
    DELIVERY_URI: _ClassVar[Delivery]

class AspectRatio(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASPECT_RATIO_UNSPECIFIED: _ClassVar[AspectRatio]
    ASPECT_RATIO_ONE_BY_ONE: _ClassVar[AspectRatio]
    ASPECT_RATIO_TWO_BY_THREE: _ClassVar[AspectRatio]
    ASPECT_RATIO_THREE_BY_TWO: _ClassVar[AspectRatio]
    ASPECT_RATIO_THREE_BY_FOUR: _ClassVar[AspectRatio]
    ASPECT_RATIO_FOUR_BY_THREE: _ClassVar[AspectRatio]
    ASPECT_RATIO_FOUR_BY_FIVE: _ClassVar[AspectRatio]
    ASPECT_RATIO_FIVE_BY_FOUR: _ClassVar[AspectRatio]
    ASPECT_RATIO_NINE_BY_SIXTEEN: _ClassVar[AspectRatio]
    ASPECT_RATIO_SIXTEEN_BY_NINE: _ClassVar[AspectRatio]
    ASPECT_RATIO_TWENTY_ONE_BY_NINE: _ClassVar[AspectRatio]
    ASPECT_RATIO_ONE_BY_EIGHT: _ClassVar[AspectRatio]
    ASPECT_RATIO_EIGHT_BY_ONE: _ClassVar[AspectRatio]
    ASPECT_RATIO_ONE_BY_FOUR: _ClassVar[AspectRatio]
    ASPECT_RATIO_FOUR_BY_ONE: _ClassVar[AspectRatio]

class ImageSize(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_SIZE_UNSPECIFIED: _ClassVar[ImageSize]
    IMAGE_SIZE_FIVE_TWELVE: _ClassVar[ImageSize]
    IMAGE_SIZE_ONE_K: _ClassVar[ImageSize]
    IMAGE_SIZE_TWO_K: _ClassVar[ImageSize]
    IMAGE_SIZE_FOUR_K: _ClassVar[ImageSize]
PROMINENT_PEOPLE_UNSPECIFIED: ProminentPeople
PROMINENT_PEOPLE_ALLOW_PROMINENT_PEOPLE: ProminentPeople
PROMINENT_PEOPLE_BLOCK_PROMINENT_PEOPLE: ProminentPeople
DELIVERY_UNSPECIFIED: Delivery
DELIVERY_INLINE: Delivery
DELIVERY_URI: Delivery
ASPECT_RATIO_UNSPECIFIED: AspectRatio
ASPECT_RATIO_ONE_BY_ONE: AspectRatio
ASPECT_RATIO_TWO_BY_THREE: AspectRatio
ASPECT_RATIO_THREE_BY_TWO: AspectRatio
ASPECT_RATIO_THREE_BY_FOUR: AspectRatio
ASPECT_RATIO_FOUR_BY_THREE: AspectRatio
ASPECT_RATIO_FOUR_BY_FIVE: AspectRatio
ASPECT_RATIO_FIVE_BY_FOUR: AspectRatio
ASPECT_RATIO_NINE_BY_SIXTEEN: AspectRatio
ASPECT_RATIO_SIXTEEN_BY_NINE: AspectRatio
ASPECT_RATIO_TWENTY_ONE_BY_NINE: AspectRatio
ASPECT_RATIO_ONE_BY_EIGHT: AspectRatio
ASPECT_RATIO_EIGHT_BY_ONE: AspectRatio
ASPECT_RATIO_ONE_BY_FOUR: AspectRatio
ASPECT_RATIO_FOUR_BY_ONE: AspectRatio
IMAGE_SIZE_UNSPECIFIED: ImageSize
IMAGE_SIZE_FIVE_TWELVE: ImageSize
IMAGE_SIZE_ONE_K: ImageSize
IMAGE_SIZE_TWO_K: ImageSize
IMAGE_SIZE_FOUR_K: ImageSize

class ImageConfig(_message.Message):
    __slots__ = ("aspect_ratio", "image_size", "person_generation", "prominent_people", "image_output_options", "extra_json")
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PERSON_GENERATION_FIELD_NUMBER: _ClassVar[int]
    PROMINENT_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_OUTPUT_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    aspect_ratio: str
    image_size: str
    person_generation: str
    prominent_people: ProminentPeople
    image_output_options: ImageOutputOptions
    extra_json: str
    def __init__(self, aspect_ratio: _Optional[str] = ..., image_size: _Optional[str] = ..., person_generation: _Optional[str] = ..., prominent_people: _Optional[_Union[ProminentPeople, str]] = ..., image_output_options: _Optional[_Union[ImageOutputOptions, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ImageOutputOptions(_message.Message):
    __slots__ = ("mime_type", "compression_quality", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_QUALITY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    compression_quality: int
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., compression_quality: _Optional[int] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ResponseFormat(_message.Message):
    __slots__ = ("text", "image", "audio", "video", "extra_json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    text: TextResponseFormat
    image: ImageResponseFormat
    audio: AudioResponseFormat
    video: VideoResponseFormat
    extra_json: str
    def __init__(self, text: _Optional[_Union[TextResponseFormat, _Mapping]] = ..., image: _Optional[_Union[ImageResponseFormat, _Mapping]] = ..., audio: _Optional[_Union[AudioResponseFormat, _Mapping]] = ..., video: _Optional[_Union[VideoResponseFormat, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class TextResponseFormat(_message.Message):
    __slots__ = ("mime_type", "schema_json", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    schema_json: str
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., schema_json: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

class ImageResponseFormat(_message.Message):
    __slots__ = ("mime_type", "aspect_ratio", "image_size", "delivery", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    aspect_ratio: AspectRatio
    image_size: ImageSize
    delivery: Delivery
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., aspect_ratio: _Optional[_Union[AspectRatio, str]] = ..., image_size: _Optional[_Union[ImageSize, str]] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class AudioResponseFormat(_message.Message):
    __slots__ = ("mime_type", "sample_rate", "bit_rate", "delivery", "extra_json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    BIT_RATE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    sample_rate: int
    bit_rate: int
    delivery: Delivery
    extra_json: str
    def __init__(self, mime_type: _Optional[str] = ..., sample_rate: _Optional[int] = ..., bit_rate: _Optional[int] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., extra_json: _Optional[str] = ...) -> None: ...

class VideoResponseFormat(_message.Message):
    __slots__ = ("aspect_ratio", "duration", "resolution", "delivery", "gcs_uri", "extra_json")
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    GCS_URI_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    aspect_ratio: AspectRatio
    duration: _duration_pb2.Duration
    resolution: str
    delivery: Delivery
    gcs_uri: str
    extra_json: str
    def __init__(self, aspect_ratio: _Optional[_Union[AspectRatio, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., resolution: _Optional[str] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., gcs_uri: _Optional[str] = ..., extra_json: _Optional[str] = ...) -> None: ...

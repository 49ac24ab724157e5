from sidecar.v1 import count_tokens_pb2 as _count_tokens_pb2
from sidecar.v1 import embed_content_pb2 as _embed_content_pb2
from sidecar.v1 import generate_pb2 as _generate_pb2
from sidecar.v1 import model_pb2 as _model_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

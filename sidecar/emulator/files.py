"""Files: the resumable upload, and what is known of a file afterwards.

Decides the X-Goog-Upload protocol, the facts of a file, and which file a `fileUri` means. Of the bytes only
their number and their digest are kept, so files cost no memory; a file is ACTIVE at once and expires after 48
hours.

Memory is bounded: 10,000 files, beyond which uploads are refused, and 1,000 uploads under way, of which the
oldest is forgotten.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.emulator.caches import Owner
from sidecar.emulator.clock import SECOND_US, Clock, rfc3339
from sidecar.emulator.decode import decode, parse_json
from sidecar.emulator.errors import ApiError, Json
from sidecar.emulator.paging import page_of

_LIFETIME_US = 48 * 3600 * SECOND_US
_MAX_FILES = 10_000
_MAX_UPLOADS = 1000
_MAX_FILE_BYTES = 2 << 30
_GRANULARITY_BYTES = 256 << 10
_NAME = re.compile(r"files/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_URI = re.compile(r".*/(files/[a-z0-9-]+)")
_MADE_HERE = re.compile(r"files/[0-9a-f]{24}")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class File:
    """What is known of an uploaded file."""

    name: str
    owner: Owner
    display_name: str
    mime_type: str
    size_bytes: int
    sha256: str
    uri: str
    created_us: int

    @property
    def expires_us(self) -> int:
        """When the file is deleted."""
        return self.created_us + _LIFETIME_US

    def as_json(self) -> Json:
        """Return the file as the API shows it."""
        shown: Json = {"name": self.name}
        if self.display_name:
            shown["displayName"] = self.display_name
        return shown | {
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size_bytes),
            "createTime": rfc3339(self.created_us),
            "updateTime": rfc3339(self.created_us),
            "expirationTime": rfc3339(self.expires_us),
            # Google's form: base64 of the digits, not of the digest.
            "sha256Hash": b64encode(self.sha256.encode()).decode(),
            "uri": self.uri,
            "state": "ACTIVE",
            "source": "UPLOADED",
        }


@dataclass(slots=True)
class _Upload:
    """An upload under way; `size_bytes` is None if the client did not announce it."""

    owner: Owner
    metadata: Json
    mime_type: str
    size_bytes: int | None
    received_bytes: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """One request of the upload protocol, with the address (`origin`) and the path that it came to."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    origin: str
    path: str


class Files:
    """All files and uploads; for one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: dict[str, File] = {}
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Files {len(self._files)}, {len(self._uploads)} uploads under way>"

    def upload(self, owner: Owner, request: UploadRequest) -> tuple[Json, Headers]:
        """Take one step of an upload and return body and headers of the reply.

        Raises:
            ApiError: 400 when the step does not fit the protocol, 404 for an unknown upload, 429 when full.
        """
        commands = {word.strip() for word in request.headers.get("X-Goog-Upload-Command", "").split(",")}
        if commands == {"start"}:
            return self._start(owner, request)
        upload_id = request.query.get("upload_id", "")
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise ApiError(404, "There is no such upload; begin with X-Goog-Upload-Command: start.")
        if commands == {"query"}:
            return {}, _status("active", upload.received_bytes)
        if commands == {"cancel"}:
            del self._uploads[upload_id]
            return {}, _status("cancelled")
        if not commands or not commands <= {"upload", "finalize"}:
            raise ApiError(400, "X-Goog-Upload-Command must be start, upload, finalize, query or cancel.")
        if "upload" in commands:
            _receive(upload, request, is_last="finalize" in commands)
        if "finalize" not in commands:
            return {}, _status("active", upload.received_bytes)
        file = self._finish(upload, request)
        del self._uploads[upload_id]
        return {"file": file.as_json()}, _status("final")

    def find(self, owner: Owner, name: str) -> File:
        """Return the file that `owner` calls `name`.

        Raises:
            ApiError: 403 when there is none.
        """
        self._drop_expired()
        file = self._files.get(name)
        if file is None or file.owner != owner:
            file_id = name.removeprefix("files/")
            text = f"You do not have permission to access the File {file_id} or it may not exist."
            raise ApiError(403, text)
        return file

    def at(self, owner: Owner, uri: str) -> File | None:
        """Return the file at `uri`; None if it leads elsewhere than to a file that was uploaded here.

        Raises:
            ApiError: 403 when it leads to a file that is gone, or another project's.
        """
        match = _URI.fullmatch(uri)
        if match is None or (match[1] not in self._files and not _MADE_HERE.fullmatch(match[1])):
            return None
        return self.find(owner, match[1])

    def list(self, owner: Owner, query: Mapping[str, str]) -> Json:
        """Return a page of the files of `owner`, the newest first."""
        self._drop_expired()
        mine = [file for file in reversed(self._files.values()) if file.owner == owner]
        page, following = page_of(mine, query.get("pageSize", ""), query.get("pageToken", ""))
        return {"files": [file.as_json() for file in page]} | following if page else {}

    def delete(self, owner: Owner, name: str) -> Json:
        """Forget a file and return the empty reply.

        Raises:
            ApiError: as `find`.
        """
        del self._files[self.find(owner, name).name]
        return {}

    def _start(self, owner: Owner, request: UploadRequest) -> tuple[Json, Headers]:
        headers = request.headers
        if headers.get("X-Goog-Upload-Protocol") != "resumable":
            raise ApiError(400, "The emulator takes uploads with X-Goog-Upload-Protocol: resumable only.")
        body = decode("CreateFileRequest", parse_json(request.body) if request.body else {})
        metadata = body.get("file", {})
        self._check_name(metadata.get("name", ""))
        announced = headers.get("X-Goog-Upload-Header-Content-Length")
        if announced is not None and not (announced.isdecimal() and int(announced) <= _MAX_FILE_BYTES):
            text = f"must be a number of bytes, at most {_MAX_FILE_BYTES}"
            raise ApiError(400, f"X-Goog-Upload-Header-Content-Length {text}, not '{announced}'.")
        mime_type = metadata.get("mimeType") or headers.get("X-Goog-Upload-Header-Content-Type", "")
        upload_id = secrets.token_urlsafe(24)
        size_bytes = None if announced is None else int(announced)
        self._uploads[upload_id] = _Upload(
            owner, metadata, mime_type or "application/octet-stream", size_bytes
        )
        if len(self._uploads) > _MAX_UPLOADS:
            self._uploads.popitem(last=False)
        url = f"{request.origin}{request.path}?upload_id={upload_id}&upload_protocol=resumable"
        granularity = ("X-Goog-Upload-Chunk-Granularity", str(_GRANULARITY_BYTES))
        return {}, (*_status("active"), ("X-Goog-Upload-URL", url), granularity)

    def _check_name(self, name: str) -> None:
        self._drop_expired()
        if name and not _NAME.fullmatch(name):
            text = "must be files/ and up to 40 lower-case letters, digits or dashes"
            raise ApiError(400, f"* CreateFileRequest.file.name: {text}, not '{name}'\n")
        if name in self._files:
            raise ApiError(409, f"Requested entity already exists: {name}", status="ALREADY_EXISTS")

    def _finish(self, upload: _Upload, request: UploadRequest) -> File:
        if upload.size_bytes not in (None, upload.received_bytes):
            raise ApiError(
                400, f"The upload has {upload.received_bytes} bytes, but {upload.size_bytes} were announced."
            )
        if len(self._files) >= _MAX_FILES:
            raise ApiError(429, f"The emulator keeps at most {_MAX_FILES} files; delete some.")
        name = upload.metadata.get("name") or f"files/{secrets.token_hex(12)}"
        version = request.path.split("/")[2]
        file = File(
            name=name,
            owner=upload.owner,
            display_name=upload.metadata.get("displayName", ""),
            mime_type=upload.mime_type,
            size_bytes=upload.received_bytes,
            sha256=upload.digest.hexdigest(),
            uri=f"{request.origin}/{version}/{name}",
            created_us=self._clock.now().wall_us,
        )
        self._files[name] = file
        return file

    def _drop_expired(self) -> None:
        now_us = self._clock.now().wall_us
        for file in [one for one in self._files.values() if one.expires_us <= now_us]:
            del self._files[file.name]


def _receive(upload: _Upload, request: UploadRequest, *, is_last: bool) -> None:
    offset = request.headers.get("X-Goog-Upload-Offset", "")
    if offset != str(upload.received_bytes):
        text = (
            f"X-Goog-Upload-Offset must be {upload.received_bytes}, where the upload stands, not '{offset}'."
        )
        raise ApiError(400, text)
    if not is_last and len(request.body) % _GRANULARITY_BYTES:
        text = f"All chunks but the last must be multiples of {_GRANULARITY_BYTES} bytes."
        raise ApiError(400, text)
    if upload.received_bytes + len(request.body) > (upload.size_bytes or _MAX_FILE_BYTES):
        raise ApiError(400, "The upload has more bytes than were announced or may be.")
    upload.received_bytes += len(request.body)
    upload.digest.update(request.body)


def _status(status: str, received_bytes: int | None = None) -> Headers:
    received = () if received_bytes is None else (("X-Goog-Upload-Size-Received", str(received_bytes)),)
    return (("X-Goog-Upload-Status", status), *received)

"""Pages of a listing: how many items each has, and the token that leads to the next.

Decides paging for all listings. A token says where the next page begins, so a listing must keep its order.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TypeVar

from sidecar.emulator.errors import bad_request

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000

Item = TypeVar("Item")


def page_of(items: Sequence[Item], page_size: str, page_token: str) -> tuple[Sequence[Item], dict[str, str]]:
    """Return one page of `items`, and the field that names the next page if there is one.

    Raises:
        ApiError: 400 when the page size is no number or the token is not one that this function gave out.
    """
    start = _offset(page_token, len(items))
    end = start + _page_length(page_size)
    if end >= len(items):
        return items[start:end], {}
    return items[start:end], {"nextPageToken": urlsafe_b64encode(f"page:{end}".encode()).decode()}


def _page_length(page_size: str) -> int:
    if not page_size:
        return DEFAULT_PAGE_SIZE
    if not page_size.isdecimal():
        raise bad_request([("page_size", f"Invalid value at 'page_size' (TYPE_INT32), \"{page_size}\"")])
    return min(int(page_size) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _offset(page_token: str, total: int) -> int:
    if not page_token:
        return 0
    refusal = bad_request(
        [("page_token", "Page token is invalid: pass the nextPageToken of an earlier reply.")]
    )
    try:
        label, _, offset = urlsafe_b64decode(page_token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise refusal from None
    if label != "page" or not offset.isdecimal() or int(offset) >= total:
        raise refusal
    return int(offset)

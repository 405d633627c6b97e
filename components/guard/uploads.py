"""Files that readers bring: only to an address that the server gave to this reader, once, and within bounds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache

from google.protobuf.message import DecodeError
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

SIZE_OPTION = "server.maxUploadSize"
"""The one place that says how large a file may be: `.streamlit/config.toml`, in MB."""
FRAME_BYTES = 64 * 1024
"""What the form around a file may take."""
MOST_NAMES = 100
"""Files of one source that come together."""
MOST_OFFERS = 1000
OF_A_SESSION, OF_ALL = 2, 4
"""How many files of the largest size are held in memory: a page lets go of each as soon as it has taken it."""

Held = Callable[[], dict[str, int]]
Refusal = tuple[int, str] | None


def most_bytes() -> int:
    """How large a file may be."""
    return int(config.get_option(SIZE_OPTION)) * 2**20


def held_bytes() -> dict[str, int]:
    """Bytes of the files that Streamlit holds in memory, by its session."""
    files = Runtime.instance().uploaded_file_mgr if Runtime.exists() else None
    if not isinstance(files, MemoryUploadedFileManager):
        return {}
    kept = list(files.file_storage.items())
    return {session: sum(len(file.data) for file in list(of.values())) for session, of in kept}


class Uploads:
    """The addresses that may be written to, and by whom.

    Parameters
    ----------
    held : callable
        Bytes that each session holds already.
    most : callable
        Bytes that a file may have.
    """

    def __init__(self, *, held: Held = held_bytes, most: Callable[[], int] = most_bytes) -> None:
        self._held = held
        self._most = most
        self._offers: OrderedDict[str, str] = OrderedDict()
        self._written: set[str] = set()
        self._coming: dict[str, int] = {}
        self._lock = threading.Lock()

    @staticmethod
    @cache
    def shared() -> Uploads:
        """The table of this process."""
        return Uploads()

    def note(self, payload: bytes | None, reader: str) -> bool:
        """Remember the addresses in a message that the server sends to a reader; whether it held any."""
        message = ForwardMsg()
        try:
            message.ParseFromString(payload or b"")
        except DecodeError:
            return False
        if message.WhichOneof("type") != "file_urls_response":
            return False
        with self._lock:
            for each in message.file_urls_response.file_urls:
                self._offers[_tail(each.upload_url)] = reader
            while len(self._offers) > MOST_OFFERS:
                self._written.discard(self._offers.popitem(last=False)[0])
        return True

    def refusal(self, method: str, path: str, reader: str, length: str | None, kind: str | None) -> Refusal:
        """Why a request to the upload route is refused, or None; a file that may come must be ended with `came`."""
        at = _tail(path)
        with self._lock:
            if self._offers.get(at) != reader:
                return 403, "This address was not given to this reader."
            if method == "DELETE":
                return None
            if method != "PUT":
                return 405, "Not allowed."
            if at in self._written:
                return 403, "This address has been used."
            refused = self._unfit(at, length, kind)
            if refused is None:
                self._written.add(at)
                self._coming[at] = int(length or 0)
            return refused

    def _unfit(self, at: str, length: str | None, kind: str | None) -> Refusal:
        if not (kind or "").lower().startswith("multipart/form-data;"):
            return 415, "A file comes as a form."
        if length is None or not (length.isascii() and length.isdigit() and len(length) < 16):
            return 411, "A file says how long it is."
        size, most = int(length), self._most()
        if size > most + FRAME_BYTES:
            return 413, "The file is too large."
        session, held = at.split("/")[0], self._held()
        coming = sum(bytes_ for path, bytes_ in self._coming.items() if path.startswith(f"{session}/"))
        if held.get(session, 0) + coming + size > OF_A_SESSION * (most + FRAME_BYTES):
            return 413, "Too many files are held for this session."
        if sum(held.values()) + sum(self._coming.values()) + size > OF_ALL * (most + FRAME_BYTES):
            return 503, "Too many files are held; try again later."
        return None

    def came(self, path: str) -> None:
        """The request with a file is over, however it ended."""
        with self._lock:
            self._coming.pop(_tail(path), None)


def _tail(path: str) -> str:
    """``session/file`` of an upload's address."""
    return path.partition("/upload_file/")[2]

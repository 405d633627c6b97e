"""What a browser may say on its socket: only what this app's own pages send."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from components.guard.uploads import MOST_NAMES, Uploads

# Not here: clearing caches (it would clear everybody's), run on save, the repository's state, the debugging
# messages, and lazily loaded tables, which this version does not have.
TAKEN = frozenset({"rerun_script", "stop_script", "app_heartbeat", "file_urls_request"})
UNREADABLE = 1003


class Frames:
    """A socket's two directions with everything that no page sends taken out.

    A frame that is no message of Streamlit's ends the socket, quietly:
    Streamlit would write a traceback to the log for each.

    Parameters
    ----------
    receive, send : ASGI callables
        Of the socket.
    reader : str
        Who is at the other end: the addresses for files that the server answers with are theirs alone.
    uploads : Uploads, optional
        Where these are noted.
    """

    def __init__(self, receive: Receive, send: Send, *, reader: str = "", uploads: Uploads | None = None) -> None:
        self._receive = receive
        self._send = send
        self._over = False
        self._reader = reader
        self._uploads = uploads or Uploads.shared()
        self._asked = 0

    async def receive(self) -> Message:
        """The next message that may be passed on."""
        while not self._over:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            kind = kind_of(message.get("bytes"))
            if kind == "file_urls_request":
                if not 0 < _names(message["bytes"]) <= MOST_NAMES:
                    continue
                self._asked += 1
            if kind in TAKEN:
                return message
            if kind is None:
                await self._send({"type": "websocket.close", "code": UNREADABLE})
                self._over = True
        return {"type": "websocket.disconnect", "code": UNREADABLE}

    async def send(self, message: Message) -> None:
        """Pass an answer on, unless the socket is closed already."""
        if (
            self._asked
            and message["type"] == "websocket.send"
            and self._uploads.note(message.get("bytes"), self._reader)
        ):
            self._asked -= 1
        if not self._over:
            await self._send(message)


def kind_of(payload: bytes | None) -> str | None:
    """Which message a frame is, ``""`` for one without content, None if it is none of Streamlit's."""
    message = BackMsg()
    try:
        message.ParseFromString(payload or b"\xff")
    except DecodeError:
        return None
    return message.WhichOneof("type") or ""


def _names(payload: bytes) -> int:
    """For how many files a frame asks an address."""
    return len(BackMsg.FromString(payload).file_urls_request.file_names)

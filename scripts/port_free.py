"""Say in one sentence if the port is taken, before the server tries it."""

from __future__ import annotations

import socket
import sys


def main(text: str) -> None:
    """Bind the port once and let it go."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(f"PORT={text} is not a port; choose a number from 1024 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError:
            sys.exit(
                f"Port {text} is taken, perhaps by a Bedside that is already running: http://127.0.0.1:{text}. "
                f"For another port: make run PORT={int(text) % 65535 + 1}"
            )


if __name__ == "__main__":
    main(sys.argv[1])

"""What a program that serves pages in the foreground does before it serves: take its port, and end with who started it."""

import os
import socket
import threading

from scrutineer.errors import UsageError


def listen(host: str, port: int, refused: str, option: str) -> socket.socket:
    """A socket that listens. Raises UsageError, which begins with `refused` and names the option for another port."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise UsageError(
            f"{refused} on port {port} of {host} ({error.strerror or error}): "
            f"stop the other program, or choose another port with {option}"
        ) from error


def end_with_parent() -> None:
    """End this process as soon as its standard input ends, as it does when the process that started it is gone."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)

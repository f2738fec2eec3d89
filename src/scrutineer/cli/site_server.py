"""A process that serves a published site and nothing else: `python -m scrutineer.cli.site_server SITE HOST PORT`.

It says where it listens once it does, and ends with the process that started it: when its standard input does.
"""

import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from scrutineer.errors import ScrutineerError, UsageError
from scrutineer.intake.reader import reader_app


def main(arguments: list[str]) -> None:
    """Serve until stopped."""
    site, host, port = arguments
    try:
        app = reader_app(Path(site))
        listening = _listen(host, int(port))
    except ScrutineerError as error:
        sys.stderr.write(f"scrutineer: {error}\n")
        sys.exit(error.exit_status)
    print(f"Site at http://{host}:{listening.getsockname()[1]}/", flush=True)  # noqa: T201 - the one line that it says
    threading.Thread(target=_end_with_parent, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise UsageError(
            f"the site cannot be served on port {port} of {host} ({error.strerror or error}): "
            "stop the other program, or choose another port with --site-port"
        ) from error


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

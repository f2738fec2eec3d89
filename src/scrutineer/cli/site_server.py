"""A process that serves a published site and nothing else: `python -m scrutineer.cli.site_server SITE HOST PORT`.

It says where it listens once it does, and ends with the process that started it: when its standard input does.
"""

import sys
from pathlib import Path

import uvicorn

from scrutineer.cli.listening import end_with_parent, listen
from scrutineer.errors import ScrutineerError
from scrutineer.intake.reader import reader_app


def main(arguments: list[str]) -> None:
    """Serve until stopped."""
    site, host, port = arguments
    try:
        app = reader_app(Path(site))
        listening = listen(host, int(port), "the site cannot be served", "--site-port")
    except ScrutineerError as error:
        sys.stderr.write(f"scrutineer: {error}\n")
        sys.exit(error.exit_status)
    print(f"Site at http://{host}:{listening.getsockname()[1]}/", flush=True)  # noqa: T201 - the one line that it says
    end_with_parent()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1:])

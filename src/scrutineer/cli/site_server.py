"""A process that serves a published site and nothing else: `python -m scrutineer.cli.site_server SITE HOST PORT`."""

import sys
from pathlib import Path

import uvicorn

from scrutineer.intake.reader import reader_app


def main(arguments: list[str]) -> None:
    """Serve until stopped."""
    site, host, port = arguments
    print(f"Site at http://{host}:{port}/", flush=True)  # noqa: T201 - the one line that this process says
    uvicorn.run(reader_app(Path(site)), host=host, port=int(port), log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Run the command line with `python -m scrutineer`."""

from scrutineer.cli import main

main()

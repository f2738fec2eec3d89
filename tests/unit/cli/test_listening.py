"""Taking a port, and ending with the process that started this one."""

import subprocess
import sys

import pytest

from scrutineer.cli.listening import listen
from scrutineer.errors import UsageError


def test_a_port_that_is_taken_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0, "the nest cannot be shown", "--nest-port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"the nest cannot be shown on port {port} of 127\.0\.0\.1 .*--nest-port"):
            listen("127.0.0.1", port, "the nest cannot be shown", "--nest-port")


def test_a_program_ends_when_its_input_does() -> None:
    code = "import threading\nfrom scrutineer.cli.listening import end_with_parent\nend_with_parent()\nthreading.Event().wait(60)"
    assert subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, check=False, timeout=30).returncode == 0

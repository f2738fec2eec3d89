"""TLS clients that speak before the server's task runs: not a byte of theirs may get lost."""

import socket
import ssl
from pathlib import Path

from intake_helpers import opened_log, republic
from scrutineer.http.port import Tls
from station_helpers import certificates, serving_tls

GET = b"GET /.well-known/scitt-keys HTTP/1.1\r\nhost: localhost\r\n\r\n"


def test_every_handshake_of_many_succeeds(tmp_path: Path) -> None:
    land = republic()
    made = certificates(tmp_path)
    context = ssl.create_default_context(cafile=made.authority)
    with (
        opened_log(tmp_path, land.definition) as (log, _),
        serving_tls(log, land.write(tmp_path), Tls(made.server, made.server_key)) as url,
    ):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        for _ in range(40):
            # A client whose first words are lost waits for an answer that never comes.
            with (
                socket.create_connection(address, timeout=8) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                connection.sendall(GET)
                assert connection.recv(12) == b"HTTP/1.1 200"

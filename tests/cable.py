"""A way to a server on this machine that can be cut, and that can hold back what passes."""

import socket
import threading
from contextlib import suppress


class Cable:
    """A way to the server that can be cut: at once, or right after the next request, whose answer is then lost."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._swallow = threading.Event()
        self._passing = threading.Event()
        self._passing.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection at once."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> None:
        """Pass on the next request, and cut every connection instead of the answer."""
        self._swallow.set()

    def freeze(self) -> None:
        """Pass nothing on and cut nothing: a server that does not answer, as far as its clients can see."""
        self._passing.clear()

    def thaw(self) -> None:
        """Pass on what was held back, and everything that comes."""
        self._passing.set()

    def close(self) -> None:
        self.thaw()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._passing.wait()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError), source:
            while data := source.recv(65536):
                self._passing.wait()
                if answers and self._swallow.is_set():
                    self._swallow.clear()
                    self.cut()
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

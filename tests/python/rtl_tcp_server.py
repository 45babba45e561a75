#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""An rtl_tcp server on the loopback interface that plays an array, for tests."""

import socket
import struct
import threading

import numpy as np

SET_FREQUENCY, SET_RATE, SET_GAIN_MODE, SET_GAIN, SET_CORRECTION = range(1, 6)
R820T = 5


def eight_bits(samples, full_scale=4.0):
    """Complex samples as an RTL-SDR's bytes: I, Q, I, Q ..., 127.5 is zero."""
    parts = np.asarray(samples, np.complex64).view(np.float32)
    return np.clip(np.rint(127.5 + 127.5 / full_scale * parts), 0, 255).astype(np.uint8)


class rtl_tcp_server:
    """Serves one client: the header, then the samples as bytes, in whole blocks, once.

    commands holds what the client asked for: (number, value), commands of 5 bytes. What is given is sent
    and then the connection closed; a client that does not read makes it wait for 10 s at most.
    """

    BLOCK = 16384

    def __init__(self, samples):
        self._data = eight_bits(samples).tobytes()
        self._data += bytes([127, 128]) * (-len(self._data) % self.BLOCK // 2)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10.0)
        self.port = self._listener.getsockname()[1]
        self.commands = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def value(self, command):
        """The last value of a command, None where it did not come."""
        values = [value for number, value in self.commands if number == command]
        return values[-1] if values else None

    def close(self):
        self._listener.close()
        self._thread.join(10.0)

    def _serve(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        with client:
            client.settimeout(10.0)
            listening = threading.Thread(
                target=self._listen, args=[client], daemon=True
            )
            listening.start()
            try:
                client.sendall(struct.pack(">4sII", b"RTL0", R820T, 29))
                client.sendall(self._data)
                client.shutdown(socket.SHUT_WR)
                listening.join(10.0)  # until the client goes
            except OSError:
                pass

    def _listen(self, client):
        waiting = b""
        try:
            while received := client.recv(1024):
                waiting += received
                while len(waiting) >= 5:
                    self.commands.append(struct.unpack(">BI", waiting[:5]))
                    waiting = waiting[5:]
        except OSError:
            pass

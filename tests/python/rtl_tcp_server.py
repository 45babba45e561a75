#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""An rtl_tcp server on the loopback interface that plays an array, for tests."""

import multiprocessing
import socket
import struct
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

SET_FREQUENCY, SET_RATE, SET_GAIN_MODE, SET_GAIN, SET_CORRECTION = range(1, 6)
R820T = 5


def eight_bits(samples, full_scale=4.0):
    """Complex samples as an RTL-SDR's bytes: I, Q, I, Q ..., 127.5 is zero."""
    parts = np.asarray(samples, np.complex64).view(np.float32)
    return np.clip(np.rint(127.5 + 127.5 / full_scale * parts), 0, 255).astype(np.uint8)


class rtl_tcp_server:
    """Serves one client: the header, then the samples as bytes and silence behind them.

    Silence, and from when the client has set its rate on the samples, at that pace, for 30 s at
    most. commands holds what the client asked for: (number, value), commands of 5 bytes.
    """

    BLOCK = 16384
    SECONDS = 30.0

    def __init__(self, samples):
        self._data = eight_bits(samples).tobytes()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10.0)
        self.port = self._listener.getsockname()[1]
        self.commands = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def value(self, command):
        """The last value of a command, None where it did not come."""
        values = [value for number, value in self.commands if number == command]
        return values[-1] if values else None

    def close(self):
        """End the connection."""
        self._closing.set()
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
                self._play(client)
            except OSError:  # the client has gone
                pass

    def _play(self, client):
        begin = time.monotonic()
        due = begin
        silence = bytes([127, 128]) * (self.BLOCK // 2)
        position = 0
        while due < begin + self.SECONDS and not self._closing.is_set():
            block = silence
            if self.value(SET_RATE):
                block = self._data[position : position + self.BLOCK] or silence
                position += len(block)
            client.sendall(block)
            due += len(block) / 2 / (self.value(SET_RATE) or 2048000)
            time.sleep(max(0.0, due - time.monotonic()))

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


def client(port, rate, count):
    """The first samples that gr-osmosdr's source gets."""
    import osmosdr
    from gnuradio import blocks, gr

    source, sink = osmosdr.source(f"rtl_tcp=127.0.0.1:{port}"), blocks.vector_sink_c()
    source.set_sample_rate(rate)
    top = gr.top_block()
    top.connect(source, blocks.head(gr.sizeof_gr_complex, count), sink)
    top.run()
    return np.array(sink.data(), np.complex64)


def through_rtl_tcp(samples, rate=2.4e6):
    """What gr-osmosdr's source makes of samples, one for each, of full scale 1.

    The client is a process of its own: gr-osmosdr holds Python's lock while it connects.
    ImportError without gr-osmosdr, RuntimeError where a sample was lost on the way.
    """
    server = rtl_tcp_server(samples)
    spawn = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, spawn) as pool:
            count = len(samples) + int(rate / 4)  # silence before and after
            got = pool.submit(client, server.port, rate, count).result(60.0)
    finally:
        server.close()
    played = np.abs(got - got[-1]) > 0
    got = got[played.argmax() :][: len(samples)]
    sent = eight_bits(samples).astype(np.float32).view(np.complex64)
    # gr-osmosdr's zero is 127.4
    if len(got) < len(sent) or not np.allclose(
        128 * got + 127.4 * (1 + 1j), sent, atol=0.01
    ):
        raise RuntimeError("gr-osmosdr's source lost samples")
    return got

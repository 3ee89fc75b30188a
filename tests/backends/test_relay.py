"""The way to another process's server: what is sent arrives, and its end is not told."""

from __future__ import annotations

import socket

import pytest

from inpainting_tf.backends import relay


def dialled(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def test_what_is_sent_arrives_and_an_end_is_not_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        way = relay.relayed(f"127.0.0.1:{server.getsockname()[1]}")
        near = dialled(way)
        far, _ = server.accept()
        near.sendall(b"question")
        assert far.recv(100) == b"question"
        far.sendall(b"answer")
        far.close()
    assert near.recv(100) == b"answer"
    near.settimeout(0.2)
    with pytest.raises(TimeoutError):
        near.recv(100)
    near.close()


def test_a_client_may_come_before_the_server():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        way = relay.relayed(f"127.0.0.1:{server.getsockname()[1]}")
        with dialled(way) as near:
            assert near.recv(100) == b"", "hung up"
        server.listen()
        with dialled(way) as near, server.accept()[0] as far:
            far.sendall(b"welcome")
            assert near.recv(100) == b"welcome"

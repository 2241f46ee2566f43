import hashlib
import importlib
import logging
import multiprocessing
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from beyond_alignment.datasets.fetch import Unavailable, cache_folder, fetch, find
from beyond_alignment.datasets.registry import data_set_from
from beyond_alignment.errors import InputError

pytestmark = pytest.mark.usefixtures("bare_environment")
CONTENT = bytes(range(256)) * 400


def data_set(base_url, content=CONTENT, **more):
    file = {"path": "a/b.bin", "role": "counts", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return data_set_from(
        "mine",
        {
            "title": "t", "species": "s", "licence": "MIT", "source": "o/r@c", "doi": "d", "citation": "k",
            "coverage": "c", "spot_diameter_um": 1, "pitch_um": 2, "sections": {}, "base_url": base_url,
            "files": [file | more],
        },
    )  # fmt: skip


@pytest.fixture
def served():
    """A server on localhost whose answer the test chooses: ``served.body``, ``served.cut`` bytes of it, ``status``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body[: server.cut])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.body, server.cut, server.status, server.asked = CONTENT, None, 200, []
    server.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed():
    """An address on localhost where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


def put(folder, content=CONTENT):
    path = folder / "mine" / "a" / "b.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def stored(folder):
    return [p for p in folder.rglob("*") if p.is_file()]


def test_the_cache_comes_before_the_mirror_and_the_mirror_before_the_network(tmp_path, served):
    cache, mirror = tmp_path / "cache", tmp_path / "mirror"
    put(mirror)
    got = fetch(data_set(served.url), "a/b.bin", cache=cache, mirror=mirror)
    assert got == cache / "mine/a/b.bin"
    assert got.read_bytes() == CONTENT
    assert served.asked == []
    (mirror / "mine/a/b.bin").unlink()
    assert fetch(data_set(served.url), "a/b.bin", cache=cache, mirror=mirror) == got
    assert served.asked == []
    got.unlink()
    assert fetch(data_set(served.url), "a/b.bin", cache=cache, mirror=mirror).read_bytes() == CONTENT
    assert served.asked == ["/a/b.bin"]


def test_the_folders_are_named_by_the_environment(tmp_path, monkeypatch, closed):
    put(tmp_path / "m")
    monkeypatch.setenv("BEYOND_ALIGNMENT_CACHE", str(tmp_path / "c"))
    monkeypatch.setenv("BEYOND_ALIGNMENT_MIRROR", str(tmp_path / "m"))
    assert fetch(data_set(closed), "a/b.bin") == tmp_path / "c/mine/a/b.bin"
    monkeypatch.delenv("BEYOND_ALIGNMENT_CACHE")
    assert "beyond-alignment" in str(cache_folder())


def test_a_mirror_that_is_no_folder_is_named(tmp_path, closed):
    with pytest.raises(InputError, match="BEYOND_ALIGNMENT_MIRROR"):
        fetch(data_set(closed), "a/b.bin", cache=tmp_path, mirror=tmp_path / "absent")


@pytest.mark.parametrize("bad", [CONTENT[:-1], CONTENT[:-1] + b"?", b""])
def test_a_damaged_cached_file_is_replaced_and_named(tmp_path, served, caplog, bad):
    path = put(tmp_path, bad)
    with caplog.at_level(logging.WARNING):
        assert fetch(data_set(served.url), "a/b.bin", cache=tmp_path).read_bytes() == CONTENT
    assert str(path) in caplog.text
    assert stored(tmp_path) == [path]


def test_a_damaged_cached_file_does_not_stay_when_it_cannot_be_replaced(tmp_path, closed):
    put(tmp_path, b"damaged")
    with pytest.raises(Unavailable):
        fetch(data_set(closed), "a/b.bin", cache=tmp_path)
    assert stored(tmp_path) == []


@pytest.mark.parametrize("bad", [CONTENT[:-1], CONTENT[:-1] + b"?"])
def test_a_damaged_file_of_the_mirror_is_refused_and_named(tmp_path, served, bad):
    path = put(tmp_path / "mirror", bad)
    with pytest.raises(InputError, match=r"expected .*, found ") as caught:
        fetch(data_set(served.url), "a/b.bin", cache=tmp_path / "cache", mirror=tmp_path / "mirror")
    assert str(path) in str(caught.value)
    assert stored(tmp_path / "cache") == []
    assert path.read_bytes() == bad


@pytest.mark.parametrize("bad", [CONTENT[:-1], CONTENT + b"more", b"<html>not found</html>"])
def test_a_wrong_download_is_refused_and_named(tmp_path, served, bad):
    served.body = bad
    with pytest.raises(InputError, match=r"a/b.bin.*expected .*, found "):
        fetch(data_set(served.url), "a/b.bin", cache=tmp_path)
    assert stored(tmp_path) == []


def test_an_interrupted_download_leaves_nothing_and_the_next_one_succeeds(tmp_path, served):
    served.cut = 1000
    with pytest.raises(InputError, match="broke off"):
        fetch(data_set(served.url), "a/b.bin", cache=tmp_path)
    assert stored(tmp_path) == []
    served.cut = None
    assert fetch(data_set(served.url), "a/b.bin", cache=tmp_path).read_bytes() == CONTENT


def test_an_interrupt_from_the_keyboard_leaves_nothing(tmp_path, served, monkeypatch):
    def interrupted(url, target, **_):
        target.write_bytes(CONTENT[:100])
        raise KeyboardInterrupt

    module = importlib.import_module("beyond_alignment.datasets.fetch")
    monkeypatch.setattr(module, "download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(data_set(served.url), "a/b.bin", cache=tmp_path)
    assert stored(tmp_path) == []


def test_what_a_killed_process_left_is_swept_after_a_day(tmp_path, served):
    folder = put(tmp_path).parent
    (folder / "b.bin").unlink()
    old, young = folder / ".b.bin.old.bin", folder / ".b.bin.young.bin"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    fetch(data_set(served.url), "a/b.bin", cache=tmp_path)
    assert sorted(p.name for p in stored(tmp_path)) == [".b.bin.young.bin", "b.bin"]


def test_a_refusal_of_the_server_is_told(tmp_path, served):
    served.status = 404
    with pytest.raises(Unavailable, match="404") as caught:
        fetch(data_set(served.url), "a/b.bin", cache=tmp_path)
    assert not caught.value.offline


def test_without_network_one_sentence_names_the_file_and_the_mirror_variable(tmp_path, closed):
    with pytest.raises(Unavailable) as caught:
        fetch(data_set(closed), "a/b.bin", cache=tmp_path)
    told = str(caught.value)
    assert "mine/a/b.bin" in told
    assert "BEYOND_ALIGNMENT_MIRROR" in told
    assert "the network could not be reached" in told
    assert "\n" not in told
    assert caught.value.offline
    with pytest.raises(Unavailable, match="neither the cache nor the mirror"):
        fetch(data_set(closed), "a/b.bin", cache=tmp_path, network=False)


def test_a_file_without_an_address_is_only_in_the_mirror(tmp_path):
    with pytest.raises(Unavailable, match="no public address"):
        fetch(data_set("https://example.org/", url=None), "a/b.bin", cache=tmp_path)


def test_a_download_of_unknown_length_is_held_against_its_blob_id(tmp_path, served):
    blob = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    record = data_set(served.url, size=None, sha256=None, git_blob=blob)
    assert fetch(record, "a/b.bin", cache=tmp_path / "1").read_bytes() == CONTENT
    served.body = CONTENT[::-1]
    with pytest.raises(InputError, match=f"expected git blob {blob}"):
        fetch(record, "a/b.bin", cache=tmp_path / "2")


def test_a_cache_that_cannot_be_written_is_told(tmp_path, served):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="BEYOND_ALIGNMENT_CACHE"):
        fetch(data_set(served.url), "a/b.bin", cache=tmp_path / "file")


def test_find_takes_only_a_whole_file(tmp_path, closed):
    (file,) = data_set(closed).files
    assert find(file, cache=tmp_path / "c") is None
    path = put(tmp_path / "m", CONTENT[:5])
    assert find(file, cache=tmp_path / "c", mirror=tmp_path / "m") is None
    assert find(file, cache=tmp_path / "c", mirror=tmp_path / "m", verify=False) == path
    path.write_bytes(CONTENT)
    assert find(file, cache=tmp_path / "c", mirror=tmp_path / "m") == path


def _fetch_many(url, cache, barrier, results):
    """Fetch ten times in a process of its own, dropping the cached file in between, and report every failure."""
    record = data_set(url)
    barrier.wait()
    for _ in range(10):
        try:
            results.put(fetch(record, "a/b.bin", cache=cache).read_bytes() == CONTENT)
        except Exception as error:  # noqa: BLE001 - the parent asserts on whatever happened
            results.put(repr(error))


def test_two_processes_at_once_do_not_harm_each_other(tmp_path, served):
    put(tmp_path, b"damaged by someone else")
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_fetch_many, args=(served.url, tmp_path, barrier, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    told = [results.get(timeout=60) for _ in range(20)]
    for worker in workers:
        worker.join()
    assert told == [True] * 20
    assert [p.name for p in stored(tmp_path)] == ["b.bin"]

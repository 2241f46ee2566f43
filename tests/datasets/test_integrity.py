import hashlib
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.datasets import integrity
from beyond_alignment.datasets.integrity import mismatch
from beyond_alignment.datasets.registry import DataFile


def blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def record(content, kind):
    known = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if kind == "git":
        known = {"git_blob": blob_id(content)}
    return DataFile(dataset="mine", path="f", role="counts", url=None, **known)


@given(content=st.binary(min_size=1, max_size=300), data=st.data(), kind=st.sampled_from(["sha256", "git"]))
def test_any_flipped_byte_is_refused(tmp_path_factory, content, data, kind):
    path = tmp_path_factory.mktemp("flip") / "f"
    file = record(content, kind)
    path.write_bytes(content)
    assert mismatch(path, file) is None
    position = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[position] ^= data.draw(st.integers(1, 255))
    (other := path.with_name("g")).write_bytes(flipped)
    assert "expected" in mismatch(other, file)
    other.write_bytes(content[:position])
    assert "expected" in mismatch(other, file)


def test_the_blob_id_is_gits_own(tmp_path):
    (tmp_path / "f").write_bytes(b"tissue\n" * 1000)
    git = subprocess.run(["git", "hash-object", "--no-filters", "f"], cwd=tmp_path, capture_output=True, text=True)
    assert git.stdout.strip() == blob_id(b"tissue\n" * 1000)


def test_a_wrong_length_is_named_without_hashing(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert mismatch(tmp_path / "f", record(b"abcd", "sha256")) == "expected 4 bytes, found 3"


def test_a_good_file_is_hashed_once_and_a_changed_one_again(tmp_path, monkeypatch):
    hashed = []
    digest = integrity._digest
    monkeypatch.setattr(integrity, "_digest", lambda *a: hashed.append(a) or digest(*a))
    path, file = tmp_path / "f", record(b"abc", "sha256")
    path.write_bytes(b"abc")
    assert mismatch(path, file) is None
    assert mismatch(path, file) is None
    assert len(hashed) == 1
    path.write_bytes(b"abd")
    os.utime(path, ns=(1, 1))
    assert "sha256" in mismatch(path, file)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        mismatch(tmp_path / "f", record(b"abc", "sha256"))

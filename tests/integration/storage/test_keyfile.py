"""What is sealed can be read again with the key file, and not without."""

import threading
from pathlib import Path

import pytest

from gateway.storage.errors import Incompatible
from gateway.storage.keyfile import Sealer

CONTENT = b"carrier password"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "data" / "trunkline.key"


def test_opens_what_it_sealed_and_so_does_another_with_the_key(key: Path) -> None:
    sealed = Sealer(key).seal(CONTENT)
    assert CONTENT not in sealed
    assert Sealer(key).open(sealed) == CONTENT


def test_sealing_twice_differs(key: Path) -> None:
    sealer = Sealer(key)
    assert sealer.seal(CONTENT) != sealer.seal(CONTENT)


def test_key_file_is_for_its_owner_alone(key: Path) -> None:
    Sealer(key).seal(CONTENT)
    assert key.stat().st_mode & 0o777 == 0o600
    assert list(key.parent.iterdir()) == [key]


def test_makes_no_key_to_open(key: Path) -> None:
    sealed = Sealer(key).seal(CONTENT)
    key.unlink()
    with pytest.raises(Incompatible, match=r"key file .* is missing"):
        Sealer(key).open(sealed)
    assert not key.exists()


@pytest.mark.parametrize("content", ["", "no hex", "00" * 31, "00" * 33], ids=["empty", "text", "short", "long"])
def test_a_file_that_is_no_key_is_named(key: Path, content: str) -> None:
    key.parent.mkdir()
    key.write_text(content)
    with pytest.raises(Incompatible, match="is no key file"):
        Sealer(key).seal(CONTENT)


@pytest.mark.parametrize("position", [0, 1, 12, 13, -1], ids=["version", "nonce", "nonce end", "content", "tag"])
def test_any_changed_byte_is_noticed(key: Path, position: int) -> None:
    sealer = Sealer(key)
    sealed = bytearray(sealer.seal(CONTENT))
    sealed[position] ^= 1
    with pytest.raises(Incompatible, match="was not sealed with"):
        sealer.open(bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28])
def test_what_is_cut_short_is_noticed(key: Path, length: int) -> None:
    sealer = Sealer(key)
    with pytest.raises(Incompatible, match="was not sealed with"):
        sealer.open(sealer.seal(CONTENT)[:length])


def test_another_key_opens_nothing(key: Path, tmp_path: Path) -> None:
    sealed = Sealer(key).seal(CONTENT)
    other = Sealer(tmp_path / "other.key")
    other.seal(CONTENT)
    with pytest.raises(Incompatible, match="was not sealed with"):
        other.open(sealed)


def test_many_at_once_make_one_key(key: Path) -> None:
    sealed: list[bytes] = []
    barrier = threading.Barrier(8)

    def seal() -> None:
        barrier.wait()
        sealed.append(Sealer(key).seal(CONTENT))

    threads = [threading.Thread(target=seal) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [Sealer(key).open(one) for one in sealed] == [CONTENT] * 8

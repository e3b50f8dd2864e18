"""Signed files: what they say is read back, and any change of them is found."""

from __future__ import annotations

import random
import wave
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from compliance.errors import ProvenanceError, VaultError
from compliance.origin import jumbf
from compliance.origin.authority import CHAIN_FILE, KEY_FILE, open_authority, read_anchors
from compliance.origin.export import encode_m4a
from compliance.origin.manifests import Manifests
from compliance.provenance import Claim, Provenance, kind_of, recovered, verify
from compliance.store.master import SecretMaster
from compliance.vault import Vault
from tests.unit.compliance.sound_helpers import tone

NOW = datetime.now(UTC)
MASTER = SecretMaster(bytes(32), source="a test")
CLAIM = Claim(
    title="speech",
    owner="Ada Example",
    at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    token="00c0ffee",
    consent={"recording": "granted", "policy": "2026-11"},
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def provenance(home: Path) -> Provenance:
    return Provenance(open_authority(home, MASTER, name="Ada Example", now=NOW))


@pytest.fixture(scope="module")
def anchors(home: Path, provenance: Provenance) -> bytes:
    found = read_anchors(home)
    assert found is not None
    return found


def write_wav(path: Path, *, seconds: float = 0.1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8_000)
        noise = np.random.default_rng(1).integers(-9_000, 9_000, int(seconds * 8_000)).astype(np.int16)
        file.writeframes(np.stack([noise, tone(len(noise))], axis=1).tobytes())
    return path


def write_m4a(path: Path) -> Path:
    encode_m4a(write_wav(path.with_suffix(".plain.wav"), seconds=0.5), path)
    return path


def write_mp3(path: Path) -> Path:
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=16_000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=16_000)
        frame.planes[0].update(tone(16_000, rate_hz=16_000).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def remuxed(source: Path, target: Path, kind: str) -> Path:
    """What `ffmpeg -c copy` does."""
    with av.open(str(source)) as reader, av.open(str(target), "w", format=kind) as writer:
        stream = writer.add_stream_from_template(reader.streams.audio[0])
        for packet in reader.demux(reader.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                writer.mux(packet)
    return target


FORMATS = pytest.mark.parametrize(
    ("make", "suffix", "kind"),
    [(write_wav, ".wav", "audio/wav"), (write_m4a, ".m4a", "video/mp4"), (write_mp3, ".mp3", "audio/mpeg")],
)


@FORMATS
def test_a_signed_file_says_what_it_is(
    tmp_path: Path, provenance: Provenance, anchors: bytes, make: Callable[[Path], Path], suffix: str, kind: str
) -> None:
    source = make(tmp_path / f"a{suffix}")
    assert kind_of(source) == kind
    signed = tmp_path / f"signed{suffix}"
    provenance.sign(source, signed, CLAIM)
    verdict = verify(signed, anchors=anchors)
    assert (verdict.found, verdict.valid, verdict.trusted, verdict.problems) == (True, True, True, ())
    assert (verdict.ai, verdict.owner, verdict.token) == ("generated", "Ada Example", "00c0ffee")
    assert (verdict.made_by, verdict.made_at) == ("AI twin", "2026-11-22T09:00:00Z")
    assert verdict.consent == {"recording": "granted", "policy": "2026-11"}
    assert "Ada Example" in verdict.signed_by
    assert signed.stat().st_mode & 0o777 == 0o600


@FORMATS
def test_a_program_that_copies_the_sound_strips_the_manifest_and_the_watermark_finds_it_again(
    tmp_path: Path, provenance: Provenance, anchors: bytes, make: Callable[[Path], Path], suffix: str, kind: str
) -> None:
    signed = tmp_path / f"signed{suffix}"
    manifest = provenance.sign(make(tmp_path / f"a{suffix}"), signed, CLAIM)
    stripped = remuxed(signed, tmp_path / f"stripped{suffix}", {".m4a": "mp4"}.get(suffix, suffix[1:]))
    assert not verify(stripped, anchors=anchors).found
    verdict = recovered(stripped, manifest, anchors=anchors)
    assert verdict.found
    assert (verdict.ai, verdict.owner, verdict.token) == ("generated", "Ada Example", "00c0ffee")
    assert not [code for code in verdict.problems if "Hash.mismatch" not in code]


def test_signing_in_place_and_the_sound_stay_the_same(tmp_path: Path, provenance: Provenance) -> None:
    path = write_wav(tmp_path / "a.wav")
    with wave.open(str(path)) as file:
        before = file.readframes(10_000)
    provenance.sign(path, path, CLAIM)
    with wave.open(str(path)) as file:
        assert file.readframes(10_000) == before
    assert [found.name for found in tmp_path.iterdir()] == ["a.wav"]


def test_what_also_holds_people_is_only_partly_generated(tmp_path: Path, provenance: Provenance) -> None:
    path = write_wav(tmp_path / "a.wav")
    provenance.sign(path, path, replace(CLAIM, whole=False, token="", consent={}))
    verdict = verify(path)
    assert (verdict.ai, verdict.token, verdict.consent) == ("partly", "", {})


def test_a_stranger_sees_a_valid_file_by_an_unknown_signer(tmp_path: Path, provenance: Provenance) -> None:
    path = write_wav(tmp_path / "a.wav")
    provenance.sign(path, path, CLAIM)
    verdict = verify(path)
    assert verdict.valid
    assert not verdict.trusted
    assert verdict.problems == ("signingCredential.untrusted",)


def test_another_twin_cannot_sign_as_this_one(tmp_path: Path, anchors: bytes) -> None:
    other = Provenance(open_authority(tmp_path / "other", None, name="Ada Example", now=NOW))
    path = write_wav(tmp_path / "a.wav")
    other.sign(path, path, CLAIM)
    verdict = verify(path, anchors=anchors)
    assert verdict.valid
    assert not verdict.trusted


def test_a_flipped_bit_anywhere_in_a_wav_is_found(tmp_path: Path, provenance: Provenance, anchors: bytes) -> None:
    """In the sound, the headers and the manifest."""
    path = write_wav(tmp_path / "a.wav", seconds=0.002)
    provenance.sign(path, path, CLAIM)
    data = path.read_bytes()
    pick = random.Random(1)
    missed = []
    for at in (*range(80), *pick.sample(range(80, len(data)), 700)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << pick.randrange(8)]) + data[at + 1 :])
        if verify(path, anchors=anchors).valid:
            missed.append(at)
    assert missed == []


def test_a_flipped_byte_in_an_m4a_is_found(tmp_path: Path, provenance: Provenance, anchors: bytes) -> None:
    path = write_m4a(tmp_path / "a.m4a")
    provenance.sign(path, path, CLAIM)
    data = path.read_bytes()
    pick = random.Random(2)
    missed = []
    # The first box names the format's brands; it holds no sound, and C2PA leaves it out.
    brands = int.from_bytes(data[:4], "big")
    for at in (*range(8), *(pick.randrange(brands, len(data)) for _ in range(250)), *range(brands, brands + 80)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << pick.randrange(8)]) + data[at + 1 :])
        if verify(path, anchors=anchors).trusted:
            missed.append(at)
    assert missed == []


def test_a_file_that_was_cut_or_grew_is_found(tmp_path: Path, provenance: Provenance, anchors: bytes) -> None:
    path = write_wav(tmp_path / "a.wav")
    provenance.sign(path, path, CLAIM)
    data = path.read_bytes()
    for changed in (data[:-1], data[:1_000], data + b"\x00", data[:100] + data[102:]):
        path.write_bytes(changed)
        assert not verify(path, anchors=anchors).valid


def test_a_file_signed_again_keeps_its_history(tmp_path: Path, provenance: Provenance, anchors: bytes) -> None:
    path = write_wav(tmp_path / "a.wav")
    first = provenance.sign(path, path, CLAIM)
    second = provenance.sign(path, path, replace(CLAIM, title="again"))
    assert verify(path, anchors=anchors).trusted
    assert len(second) > len(first) + 1_000, "the first manifest is inside the second"


def test_what_has_no_manifest_says_nothing(tmp_path: Path) -> None:
    verdict = verify(write_wav(tmp_path / "a.wav"))
    assert (verdict.found, verdict.valid, verdict.ai, verdict.problems) == (False, False, "unknown", ())


@pytest.mark.parametrize(
    "data",
    [b"", b"R", b"PK\x03\x04" + bytes(100), b"<svg/>", b"RIFF\xff\xff\xff\xffWAVE", b"\x00\x00\x00\x18ftypM4A "],
)
def test_what_is_no_sound_is_refused_without_being_unpacked(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    verdict = verify(path)
    assert (verdict.found, verdict.valid) == (False, False)
    assert verdict.problems


def test_files_that_cannot_be_signed_or_read_say_so(tmp_path: Path, provenance: Provenance) -> None:
    text = tmp_path / "a.wav"
    text.write_text("not a sound")
    with pytest.raises(ProvenanceError, match="only WAV"):
        provenance.sign(text, tmp_path / "b.wav", CLAIM)
    with pytest.raises(ProvenanceError, match="cannot be read"):
        verify(tmp_path / "missing.wav")
    with pytest.raises(ProvenanceError, match="cannot be written"):
        provenance.sign(write_wav(tmp_path / "c.wav"), tmp_path / "no" / "d.wav", CLAIM)
    assert not list(tmp_path.glob("*.part"))


def test_boxes_that_do_not_fill_each_other_are_noticed() -> None:
    assert not jumbf.is_untouched(b"")
    assert not jumbf.is_untouched(b"\x00\x00\x00\x08jumb")
    assert not jumbf.is_untouched(b"\x00\x00\xff\xffjumb")
    assert (
        jumbf.store_of(b"\x00\x00\xff\xffjumb\x00\x00\x00\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq")
        is None
    )


class TestAuthority:
    def test_it_is_made_once_and_its_keys_are_wrapped(self, tmp_path: Path) -> None:
        first = open_authority(tmp_path, MASTER, name="Ada", now=NOW)
        assert open_authority(tmp_path, MASTER, name="Ada", now=NOW) == first
        stored = (tmp_path / KEY_FILE).read_bytes()
        assert first.key_pem not in stored
        assert b"PRIVATE" not in stored
        assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / CHAIN_FILE).read_bytes() == first.chain_pem

    def test_without_its_master_key_it_does_not_open(self, tmp_path: Path) -> None:
        open_authority(tmp_path, MASTER, name="Ada", now=NOW)
        with pytest.raises(VaultError, match="open the store first"):
            open_authority(tmp_path, None, name="Ada", now=NOW)
        with pytest.raises(VaultError, match="restore that one"):
            open_authority(tmp_path, SecretMaster(b"\x01" * 32, source="another"), name="Ada", now=NOW)

    def test_a_damaged_file_says_so(self, tmp_path: Path) -> None:
        open_authority(tmp_path, MASTER, name="Ada", now=NOW)
        (tmp_path / KEY_FILE).write_bytes(b"{}")
        with pytest.raises(ProvenanceError, match="restore it"):
            open_authority(tmp_path, MASTER, name="Ada", now=NOW)

    def test_a_signer_is_renewed_each_year_and_old_files_stay_trusted(self, tmp_path: Path) -> None:
        then = NOW - timedelta(days=400)
        old = open_authority(tmp_path, MASTER, name="Ada", now=then)
        path = write_wav(tmp_path / "a.wav")
        Provenance(old).sign(path, path, CLAIM)
        new = open_authority(tmp_path, MASTER, name="Ada", now=NOW)
        assert new.key_pem != old.key_pem
        anchors = read_anchors(tmp_path)
        assert verify(path, anchors=anchors).trusted
        again = write_wav(tmp_path / "b.wav")
        Provenance(new).sign(again, again, CLAIM)
        assert verify(again, anchors=anchors).trusted

    def test_a_home_that_signed_nothing_has_no_anchors(self, tmp_path: Path) -> None:
        assert read_anchors(tmp_path) is None


async def test_a_manifest_is_found_by_its_watermark_and_forgotten_with_its_person(vault: Vault) -> None:
    manifests = Manifests(vault)
    await manifests.keep("00c0ffee", b"ours", subject="+4930123456")
    await manifests.keep("deadbeef", b"nobody's")
    assert await manifests.find("00c0ffee") == b"ours"
    assert await manifests.find("deadbeef") == b"nobody's"
    await vault.forget("+4930123456")
    assert await manifests.find("00c0ffee") is None
    assert await manifests.find("deadbeef") == b"nobody's"

"""Reading recordings: every usual format, and one clear line for what is none."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from persona.voice import sound as module
from persona.voice.sound import Sound, UnfitSound, from_pcm, read

RATE_HZ = 24_000


def tone(seconds: float = 1.5, *, level: float = 0.5) -> Sound:
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return Sound((level * np.sin(2 * np.pi * 440 * times)).astype(np.float32), RATE_HZ)


def encoded(path: Path, codec: str, container: str, sound: Sound) -> Path:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=sound.rate_hz)
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(stream.format, "mono", sound.rate_hz, frame_size=stream.frame_size or None)
        frame = av.AudioFrame.from_ndarray(sound.samples[None, :], format="flt", layout="mono")
        frame.rate = sound.rate_hz
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return path


def wav(path: Path, sound: Sound) -> Path:
    path.write_bytes(sound.wav())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.wav", "pcm_s16le", "wav"),
        ("a.flac", "flac", "flac"),
        ("a.m4a", "aac", "ipod"),
        ("a.ogg", "libopus", "ogg"),
        ("a.webm", "libopus", "webm"),
        ("a.mp3", "libmp3lame", "mp3"),
    ],
)
def test_reads_the_usual_formats(tmp_path: Path, name: str, codec: str, container: str) -> None:
    made = tone() if codec != "libopus" else tone().at(48_000)
    path = encoded(tmp_path / name, codec, container, made)
    found = read(path)
    assert found.seconds == pytest.approx(1.5, abs=0.15)
    spectrum = np.abs(np.fft.rfft(found.samples))
    assert np.argmax(spectrum) * found.rate_hz / len(found.samples) == pytest.approx(440, abs=2)


def test_what_is_written_as_wav_is_read_as_it_was(tmp_path: Path) -> None:
    found = read(wav(tmp_path / "a.wav", tone()))
    assert found.rate_hz == RATE_HZ
    assert np.abs(found.samples - tone().samples).max() < 1e-4
    assert np.array_equal(from_pcm(found.pcm(), RATE_HZ).pcm(), found.pcm())


def test_a_name_says_nothing(tmp_path: Path) -> None:
    flac = encoded(tmp_path / "a.flac", "flac", "flac", tone())
    assert read(flac.rename(tmp_path / "really.wav")).seconds == pytest.approx(1.5, abs=0.01)


def test_of_two_channels_the_loudest_one_is_taken(tmp_path: Path) -> None:
    silent_and_loud = np.stack([tone(level=0.01).samples, tone(level=0.5).samples], axis=1)
    path = tmp_path / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((silent_and_loud * 32_767).astype("<i2").tobytes())
    assert np.abs(read(path).samples).max() == pytest.approx(0.5, abs=0.01)


def complaint(path: Path) -> str:
    with pytest.raises(UnfitSound) as caught:
        read(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_text_that_is_called_wav(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("Dear diary, today I recorded nothing.\n")
    assert "WAV, FLAC, MP3" in complaint(path)


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    wav(tmp_path / "other.wav", tone())
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,\nother.wav\n#EXT-X-ENDLIST\n")
    assert "not a recording" in complaint(path)


@pytest.mark.parametrize("container", ["wav", "flac", "m4a"])
def test_a_file_that_breaks_off(tmp_path: Path, container: str) -> None:
    codec, form = {"wav": ("pcm_s16le", "wav"), "flac": ("flac", "flac"), "m4a": ("aac", "ipod")}[container]
    path = encoded(tmp_path / f"a.{container}", codec, form, tone(4.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "again" in complaint(path)


def test_only_the_head_of_a_wav(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(tone().wav()[:20])
    complaint(path)


def test_a_wav_of_a_program_that_streams_says_no_length(tmp_path: Path) -> None:
    data = bytearray(tone().wav())
    data[40:44] = b"\xff\xff\xff\xff"
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    assert read(path).seconds == pytest.approx(1.5, abs=0.01)


def test_silence_no_samples_and_nothing(tmp_path: Path) -> None:
    assert "silent" in complaint(wav(tmp_path / "silent.wav", tone(level=0.0)))
    assert "silent" in complaint(wav(tmp_path / "hum.wav", tone(level=0.0005)))
    assert "long" in complaint(wav(tmp_path / "none.wav", tone(0.0)))
    (tmp_path / "empty.wav").write_bytes(b"")
    assert "empty" in complaint(tmp_path / "empty.wav")
    assert "no such file" in complaint(tmp_path / "missing.wav")
    (tmp_path / "folder.wav").mkdir()
    complaint(tmp_path / "folder.wav")


def test_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.write(tone().wav())
        file.truncate(2**30)
    assert "256 MB" in complaint(path)


def test_a_recording_that_decodes_to_hours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_S", 60)
    # Silence in FLAC is a few bytes to a second, so that the size says nothing.
    path = encoded(tmp_path / "long.flac", "flac", "flac", Sound(np.zeros(90 * RATE_HZ, np.float32), RATE_HZ))
    assert path.stat().st_size < 100_000
    assert "longer than 1 minutes" in complaint(path)


def test_a_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(10):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode(None))
    assert "no sound" in complaint(path)


def test_a_rate_that_no_voice_is_recorded_at(tmp_path: Path) -> None:
    assert "4000 Hz" in complaint(wav(tmp_path / "a.wav", Sound(tone().samples, 4_000)))


def test_noise_for_bytes_is_one_line(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    for number, head in enumerate(
        (b"fLaC", b"OggS", b"ID3\x04", b"\xff\xfb\x90\x00", b"\x00\x00\x00\x20ftypM4A ")
    ):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(head + chance.bytes(20_000))
        complaint(path)
    buffer = io.BytesIO(b"RIFF\x00\x00\x00\x00WAVE" + chance.bytes(2_000))
    with pytest.raises(UnfitSound):
        module.decode(buffer, "x", 2_012)

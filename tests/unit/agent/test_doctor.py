"""`twin doctor`: each check against something real: files, sockets, servers on loopback, engines."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from rich.console import Console

from agent import doctor
from agent.findings import Check, Findings, Patient, Verdict
from agent.home import Home
from agent.settings import Settings

SECRET = "sk-tangerine"


def patient(
    path: Path, environment: Mapping[str, str] | None = None, *, demo: bool = True, **sections: object
) -> Patient:
    return Patient(Home(path, demo=demo), Settings.model_validate(sections), environment or {})


@asynccontextmanager
async def server(body: bytes, *, silent: bool = False) -> AsyncIterator[int]:
    """Something that answers HTTP on loopback, or takes the request and says nothing; gives its port."""
    over = asyncio.Event()
    answers: list[asyncio.Task[None]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.append(asyncio.current_task())  # type: ignore[arg-type]
        await reader.readuntil(b"\r\n\r\n")
        if silent:
            await over.wait()
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        over.set()
        await asyncio.gather(*answers)


def models(*names: str) -> bytes:
    return json.dumps({"data": [{"id": name} for name in names]}).encode()


async def test_a_model_server_is_offered_with_the_lines_to_use_it(tmp_path: Path) -> None:
    async with server(models("llama3.2:3b", "qwen3:8b")) as port:
        checks = await doctor.model_servers(patient(tmp_path), {port: "Ollama"}, limit_s=5)
    assert [check.verdict for check in checks] == ["ok"]
    assert "llama3.2:3b" in checks[0].detail
    settings = f'[brain]\nengine = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\nmodel = "llama3.2:3b"'
    assert checks[0].mend == settings


async def test_the_offered_lines_are_settings(tmp_path: Path) -> None:
    from agent.settings import load

    async with server(models("a-model")) as port:
        checks = await doctor.model_servers(patient(tmp_path), {port: "vLLM"}, limit_s=5)
    (tmp_path / "twin.toml").write_text(checks[0].mend)
    assert load(tmp_path).brain.model == "a-model"


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"data": 3}', b'{"data": [{}]}', models('x"\nport = 1'), b""]
)
async def test_a_server_of_another_kind_breaks_nothing(body: bytes, tmp_path: Path) -> None:
    async with server(body) as port:
        checks = await doctor.model_servers(patient(tmp_path), {port: "vLLM"}, limit_s=5)
    assert all("port = 1" not in check.mend for check in checks)
    assert all(check.verdict != "fail" for check in checks)


async def test_silence_and_refusal_are_waited_for_once_and_briefly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as refusing:
        closed = refusing.getsockname()[1]
    async with server(models("late"), silent=True) as slow, asyncio.timeout(20):
        checks = await doctor.model_servers(patient(tmp_path), {slow: "LM Studio", closed: "vLLM"}, limit_s=0.2)
    assert [check.verdict for check in checks] == ["warn"]
    assert "OPENAI_API_KEY" in checks[0].mend


async def test_a_server_that_is_used_already_is_not_offered(tmp_path: Path) -> None:
    async with server(models("mine")) as port:
        brain = {"engine": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}
        assert await doctor.model_servers(patient(tmp_path, brain=brain), {port: "vLLM"}, limit_s=5) == []


async def test_the_built_in_engines_start(tmp_path: Path) -> None:
    for kind in doctor.KINDS:
        check = await doctor.chosen(kind, patient(tmp_path))
        assert check.verdict == "ok", check
        assert "starts" in check.detail


async def test_an_engine_without_its_key_fails_and_says_which(tmp_path: Path) -> None:
    check = await doctor.chosen("brain", patient(tmp_path, brain={"engine": "openai"}))
    assert check.verdict == "fail"
    assert "OPENAI_API_KEY" in check.mend


async def test_an_engine_of_no_known_name_fails(tmp_path: Path) -> None:
    check = await doctor.chosen("voice", patient(tmp_path, voice={"engine": "parrot"}))
    assert (check.verdict, check.name) == ("fail", "voice")
    assert "espeak" in check.detail


def test_engines_say_what_they_need_and_never_what_they_have(tmp_path: Path) -> None:
    keyless = "\n".join(check.mend for check in doctor.others(patient(tmp_path)))
    assert "deepgram: set DEEPGRAM_API_KEY" in keyless
    with_key = doctor.others(patient(tmp_path, {"DEEPGRAM_API_KEY": SECRET}))
    assert "deepgram" in next(check.detail for check in with_key if check.name == "speech engines")
    assert all(SECRET not in check.detail + check.mend for check in with_key)


async def test_the_store_opens_and_a_broken_one_fails(tmp_path: Path) -> None:
    assert (await doctor.store(patient(tmp_path))).verdict == "ok"
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "twin.db").write_bytes(b"not a database" * 100)
    check = await doctor.store(patient(tmp_path / "broken"))
    assert check.verdict == "fail"
    assert check.mend


def test_files_that_others_may_read_are_pointed_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={SECRET}")
    (tmp_path / ".env").chmod(0o644)
    check = doctor.files(patient(tmp_path))
    assert check.verdict == "warn"
    assert check.mend == f"chmod 600 {tmp_path / '.env'}"
    (tmp_path / ".env").chmod(0o600)
    assert doctor.files(patient(tmp_path)).verdict == "ok"


def test_a_folder_that_others_may_read_is_pointed_out_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "master.key").touch(mode=0o640)
    (tmp_path / "master.key").chmod(0o640)
    tmp_path.chmod(0o755)
    check = doctor.files(patient(tmp_path))
    assert check.verdict == "warn"
    assert check.mend == f"chmod 700 {tmp_path}\nchmod 600 {tmp_path / 'master.key'}"


def test_the_home_is_counted_and_a_broken_one_fails(tmp_path: Path) -> None:
    assert "Martin Alder" in doctor.owner(patient(tmp_path)).detail
    assert doctor.owner(patient(tmp_path, demo=False)).verdict == "fail"


def test_a_clock_that_was_never_set_fails() -> None:
    assert doctor.clock(0).verdict == "fail"
    assert doctor.clock().verdict == "ok"


def test_a_port_in_use_is_a_warning(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = {"port": taken.getsockname()[1]}
        assert doctor.port(patient(tmp_path, server=busy)).verdict == "warn"
    assert doctor.port(patient(tmp_path, server={"port": 0})).verdict == "ok"


@pytest.mark.parametrize(
    ("environment", "section", "verdict"),
    [
        ({}, {}, "warn"),
        ({"TWILIO_AUTH_TOKEN": SECRET}, {}, "warn"),
        ({"TWILIO_AUTH_TOKEN": SECRET, "TWILIO_ACCOUNT_SID": "AC1"}, {"public_url": "http://a.example"}, "warn"),
        ({"TWILIO_AUTH_TOKEN": SECRET, "TWILIO_ACCOUNT_SID": "AC1"}, {"public_url": "https://a.example"}, "ok"),
    ],
)
def test_the_phone_needs_keys_and_an_address(
    environment: dict[str, str], section: dict[str, str], verdict: str, tmp_path: Path
) -> None:
    check = doctor.phone(patient(tmp_path, environment, twilio=section))
    assert check.verdict == verdict
    assert SECRET not in check.detail + check.mend


def test_an_address_that_browsers_do_not_trust_is_pointed_out(tmp_path: Path) -> None:
    assert doctor.microphone(patient(tmp_path)).verdict == "ok"
    assert doctor.microphone(patient(tmp_path, server={"host": "0.0.0.0"})).verdict == "warn"
    served = {"allowed_origins": ["https://twin.example.org"]}
    assert doctor.microphone(patient(tmp_path, server={"host": "0.0.0.0"}, web=served)).verdict == "ok"


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_only_a_failure_is_an_error_for_scripts(verdict: Verdict, code: int) -> None:
    out = io.StringIO()
    findings = Findings((Check("a", verdict, "what [was] found", "mend it"),))
    assert doctor.report(findings, as_json=True, console=Console(file=out, width=40)) == code
    value = json.loads(out.getvalue())
    assert value["ok"] is (code == 0)
    assert value["checks"][0]["detail"] == "what [was] found"
    out = io.StringIO()
    assert doctor.report(findings, as_json=False, console=Console(file=out, width=80)) == code
    assert "what [was] found" in out.getvalue()


async def test_a_home_that_cannot_be_read_is_a_failed_check_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "twin.toml").write_text("[server]\nprot = 1\n")
    findings = await doctor.examine(tmp_path)
    assert findings.failed
    assert "server.prot" in findings.checks[-1].detail
    assert (await doctor.examine(tmp_path / "nowhere")).failed

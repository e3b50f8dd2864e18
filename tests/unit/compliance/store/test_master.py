"""The master key comes from a file, the keyring or a program of the owner's, and says clearly what is wrong."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from compliance.errors import VaultError
from compliance.settings import StoreSettings
from compliance.store.master import MasterKey, open_master
from compliance.vault import Vault

KEY = bytes(range(32))

# A key management service as small as it can be: it is told what to do, and never gives its own key away.
_SERVICE = """
import base64, sys
data = base64.b64decode(sys.stdin.read())
other = bytes(byte ^ 0x5A for byte in data)
print(base64.b64encode(other if sys.argv[-1] in ("wrap", "unwrap") else b"").decode())
"""


def opened(home: Path, *, create: bool = True, account: str = "a", **settings: object) -> MasterKey:
    home.mkdir(exist_ok=True)
    chosen = StoreSettings.model_validate(settings)
    return open_master(home, chosen, account=account, create=create)


def program(folder: Path, text: str) -> str:
    path = folder / "service.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


def test_the_file_is_made_once_and_for_its_owner_alone(home: Path) -> None:
    wrapped = opened(home).wrap(KEY)
    assert stat.S_IMODE((home / "master.key").stat().st_mode) == 0o600
    assert KEY not in wrapped
    assert opened(home, create=False).unwrap(wrapped) == KEY
    (home / "master.key").unlink()
    with pytest.raises(VaultError, match="is missing"):
        opened(home, create=False)
    with pytest.raises(VaultError, match=r"master\.key is not the one this store was made with"):
        opened(home).unwrap(wrapped)


def test_a_program_wraps_and_unwraps(home: Path, tmp_path: Path) -> None:
    command = program(tmp_path, _SERVICE)
    wrapped = opened(home, master="command", master_command=command).wrap(KEY)
    assert wrapped != KEY
    assert opened(home, master="command", master_command=command, create=False).unwrap(wrapped) == KEY
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; print('secret', file=sys.stderr); sys.exit(3)", r"could not wrap \(exit status 3\)"),
        ("print('Welcome to the key service!')", "must print base64"),
        ("import time; time.sleep(60)", r"did not wrap within 0\.3 s"),
    ],
)
def test_a_program_that_fails_is_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setattr("compliance.store.master._COMMAND_LIMIT_S", 0.3 if "sleep" in text else 20.0)
    master = opened(home, master="command", master_command=program(tmp_path, text))
    with pytest.raises(VaultError, match=said) as caught:
        master.wrap(KEY)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("command", "said"),
    [("", "must name a program"), ("'open", "unclosed quote"), ("no-such-program", "cannot be run")],
)
def test_a_command_that_cannot_be_run_is_refused(home: Path, command: str, said: str) -> None:
    with pytest.raises(VaultError, match=said):
        opened(home, master="command", master_command=command).wrap(KEY)


async def test_a_store_runs_on_a_program_that_is_asked_once_at_the_start(home: Path, tmp_path: Path) -> None:
    count = f"open({str(tmp_path / 'asked')!r}, 'a').write(sys.argv[-1] + ' ')"
    command = program(tmp_path, _SERVICE.replace("import base64, sys", f"import base64, sys; {count}"))
    settings = StoreSettings(master="command", master_command=command)
    async with Vault(home, settings) as vault:
        for number in range(20):
            vault.begin_call(f"c{number}", channel="web")
    async with Vault(home, settings) as vault:
        assert len(await vault.calls()) == 20
    assert (tmp_path / "asked").read_text().split() == ["wrap", "unwrap", "unwrap"]
    assert not (home / "master.key").exists()


async def test_a_program_that_does_not_give_back_what_it_took_stores_nothing(home: Path, tmp_path: Path) -> None:
    command = program(tmp_path, "import base64; print(base64.b64encode(b'x' * 32).decode())")
    vault = Vault(home, StoreSettings(master="command", master_command=command))
    with pytest.raises(VaultError, match="does not unwrap what it wrapped"):
        await vault.open()
    await vault.close()


class Keyring(KeyringBackend):
    """The keyring of a desktop, which this machine does not have."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def desktop() -> Iterator[Keyring]:
    before = keyring.get_keyring()
    desktop = Keyring()
    keyring.set_keyring(desktop)
    yield desktop
    keyring.set_keyring(before)


async def test_the_keyring_keeps_the_master_key_and_no_file_does(home: Path, desktop: Keyring) -> None:
    settings = StoreSettings(master="keyring")
    async with Vault(home, settings) as vault:
        await vault.put("a@example.org", "summary", b"kept")
    async with Vault(home, settings) as vault:
        assert await vault.get("a@example.org", "summary") == b"kept"
    assert len(desktop.kept) == 1
    assert not (home / "master.key").exists()


def test_a_keyring_that_is_locked_empty_or_damaged_is_said(home: Path, desktop: Keyring) -> None:
    with pytest.raises(VaultError, match="no master key for this store"):
        opened(home, master="keyring", create=False)
    desktop.kept["ai-twin", "a"] = "not hexadecimal"
    with pytest.raises(VaultError, match="is damaged"):
        opened(home, master="keyring", create=False)
    desktop.locked = True
    with pytest.raises(VaultError, match="unlock it"):
        opened(home, master="keyring")

"""The settings page, and who may sign in."""

from __future__ import annotations

from pathlib import Path

from compliance.console.desk import SettingRow
from tests.unit.compliance.console.house import House, opened_house

ROWS = (
    SettingRow("consent", "recording", "off", "The sound is never kept.", True),
    SettingRow("retention", "audio_days", "400 days", "How long <b>recordings</b> are kept.", False),
)


async def test_settings_are_shown_with_what_they_mean(tmp_path: Path) -> None:
    async with opened_house(tmp_path / "home", setting_rows=ROWS, public_key="PUBLIC KEY") as house:
        page = (await (await house.signed_in("rob")).get("/console/settings")).text
        assert "[consent]" in page
        assert '<span class="badge good">stricter</span>' in page
        assert '<span class="badge warn">less strict</span>' in page
        assert "&lt;b&gt;recordings" in page
        assert "PUBLIC KEY" in page


async def test_only_an_owner_sees_who_may_sign_in(house: House) -> None:
    assert "Who may sign in" in (await (await house.signed_in("ada")).get("/console/settings")).text
    assert "Who may sign in" not in (await (await house.signed_in("rob")).get("/console/settings")).text


async def test_an_owner_disables_somebody_and_it_is_noted(house: House) -> None:
    ada, rob = await house.signed_in("ada"), await house.signed_in("rob")
    answer = await ada.post("/console/settings/operators/rob/disable")
    assert answer.status_code == 303
    assert "rob can no longer sign in." in (await ada.get("/console/settings")).text
    assert (await rob.get("/console/")).status_code == 303
    assert (await house.last())["which"] == "rob"


async def test_a_reviewer_disables_nobody(house: House) -> None:
    rob = await house.signed_in("rob")
    answer = await rob.post("/console/settings/operators/ada/disable")
    assert answer.status_code == 403
    assert "Only an owner" in answer.text
    assert {operator.state for operator in await house.operators.list()} == {"active"}


async def test_nobody_disables_themselves_here_by_mistake(house: House) -> None:
    ada = await house.signed_in("ada")
    for name in ("ada", "ADA"):
        assert (await ada.post(f"/console/settings/operators/{name}/disable")).status_code == 400
    assert (await ada.post("/console/settings/operators/nobody/disable")).status_code == 403
    assert (await ada.get("/console/")).status_code == 200

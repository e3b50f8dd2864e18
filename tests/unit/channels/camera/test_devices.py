from channels.camera.devices import Module, new_token, plan, recipes


def module(index: int, token: str) -> Module:
    return Module(index, f"sink_name=x sink_properties=\"device.description='AI twin' ai.twin.token={token}\"")


def test_a_device_says_whose_it_is() -> None:
    token = new_token()
    assert [Module(0, argument).token for _, argument in recipes(token, 48_000)] == [token] * 3
    assert Module(0, "sink_name=ai_twin_voice").token == ""


def test_what_nobody_living_made_is_left_over_and_the_newest_goes_first() -> None:
    found = plan([Module(1, "somebody's"), module(2, "dead0"), module(3, "dead0")], {"", "abc"})
    assert [gone.index for gone in found.left_over] == [3, 2]
    assert not found.taken


def test_what_another_twin_uses_is_left_alone() -> None:
    found = plan([module(2, "abc"), module(5, "dead0")], {"abc"})
    assert [gone.index for gone in found.left_over] == [5]
    assert found.taken


def test_nothing_there_is_nothing_to_do() -> None:
    assert plan([], set()) == plan([Module(0, "other")], {"abc"})


def test_the_twins_own_way_is_not_resampled() -> None:
    voice = recipes("abc", 48_000)[0][1]
    assert "format=s16le rate=48000 channels=1 channel_map=mono" in voice

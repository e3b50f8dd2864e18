import pytest

from channels.web.origin import may_call


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:7860", "127.0.0.1:7860"),
        ("http://localhost:7860", "localhost:7860"),
        ("https://[::1]:7860", "[::1]:7860"),
        ("http://192.0.2.7:7860", "192.0.2.7:7860"),
        ("https://twin.example.org", "10.0.0.5:7860"),
    ],
)
def test_the_own_page_may_call(origin: str, host: str) -> None:
    assert may_call(origin, host, {"https://twin.example.org"})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "127.0.0.1:7860"),
        ("http://127.0.0.1:9999", "127.0.0.1:7860"),
        ("http://rebound.example:7860", "rebound.example:7860"),
        ("null", "127.0.0.1:7860"),
        ("file://", ""),
        ("http://[broken", "[broken"),
        ("https://twin.example.org.evil.example", "127.0.0.1:7860"),
    ],
)
def test_a_foreign_page_may_not(origin: str, host: str) -> None:
    assert not may_call(origin, host, {"https://twin.example.org"})


def test_a_program_without_an_origin_may_call() -> None:
    assert may_call(None, "127.0.0.1:7860", ())

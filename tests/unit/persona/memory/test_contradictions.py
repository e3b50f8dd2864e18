"""What becomes of what is known when something new is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import count

from persona.memory.changes import Change, Drop, Keep, Replace
from persona.memory.contradictions import resolve
from persona.memory.extraction import Extracted, extract
from persona.prompt import Turn
from persona.source import Memory

DAY_MS = 86_400_000
NOW_MS = 1_795_305_600_000


def ids(prefix: str = "new") -> Callable[[], str]:
    numbers = count()
    return lambda: f"{prefix}{next(numbers)}"


def known(memory_id: str, text: str, about: str, *, days_ago: int = 30, person: str = "Anna Schmidt") -> Memory:
    return Memory(memory_id, text, NOW_MS - days_ago * DAY_MS, about=about, person=person, call_id="before")


def after(
    memories: Sequence[Memory],
    *turns: str,
    person: str = "Anna Schmidt",
    language: str = "en",
    prefix: str = "new",
) -> tuple[list[str], tuple[Change, ...]]:
    """What is remembered after a call in which the caller said these turns."""
    said = extract([Turn("caller", t) for t in turns], language=language, name="Anna", today=date(2026, 11, 22))
    changes = resolve(memories, said, now_ms=NOW_MS, new_id=ids(prefix), person=person, call_id="now")
    shelf = {memory.id: memory.text for memory in memories}
    for change in changes:
        match change:
            case Keep(memory):
                shelf[memory.id] = memory.text
            case Replace(old_id, memory):
                del shelf[old_id]
                shelf[memory.id] = memory.text
            case Drop(old_id):
                del shelf[old_id]
    return sorted(shelf.values()), changes


AT_A = known("a", "Anna works at Siemens.", "employer")


def test_who_works_at_b_now_does_not_work_at_a_any_more() -> None:
    texts, changes = after([AT_A], "I work at Bosch now.")
    assert texts == ["Anna works at Bosch."]
    assert changes == (
        Replace(
            "a",
            Memory("new0", "Anna works at Bosch.", NOW_MS, about="employer", person="Anna Schmidt", call_id="now"),
        ),
    )


def test_the_same_said_again_changes_nothing() -> None:
    assert after([AT_A], "I work at Siemens.")[1] == ()
    assert after([AT_A], "i work at siemens")[1] == ()


def test_no_longer_ends_it() -> None:
    assert after([AT_A], "I no longer work at Siemens.") == ([], (Drop("a"),))
    assert after([AT_A], "I quit my job.")[0] == []


def test_no_longer_at_somewhere_else_ends_nothing() -> None:
    assert after([AT_A], "I don't work at Bosch any more.")[1] == ()


def test_left_a_and_joined_b_in_one_breath() -> None:
    assert after([AT_A], "I no longer work at Siemens, I joined Bosch.")[0] == ["Anna works at Bosch."]


def test_a_change_of_mind_within_the_call_leaves_only_the_last_word() -> None:
    texts, changes = after([], "I live in Munich.", "I live in Berlin.", "I live in Hamburg.")
    assert texts == ["Anna lives in Hamburg."]
    assert len(changes) == 1
    assert isinstance(changes[0], Keep)
    assert after([], "I live in Munich.", "I don't live in Munich any more.") == ([], ())


def test_a_replaced_one_that_ends_in_the_same_call_is_dropped_under_its_old_id() -> None:
    texts, changes = after([AT_A], "I work at Bosch.", "I no longer work at Bosch.")
    assert texts == []
    assert changes == (Drop("a"),)


def test_children_plans_and_preferences_stand_side_by_side() -> None:
    mia = known("m", "Anna's daughter is called Mia.", "children")
    texts, _ = after([mia], "My son is called Tom.", "I prefer tea.", "I prefer mornings.")
    assert len(texts) == 4


def test_a_plan_that_moved_replaces_the_plan() -> None:
    may = known("p", "Anna is moving to Munich in May 2027.", "plan:move")
    assert after([may], "I'm moving to Munich in June.")[0] == ["Anna is moving to Munich in June 2027."]
    assert after([may], "I'm not moving after all.")[0] == []


def test_nearly_the_same_is_folded_and_the_newer_wording_stays() -> None:
    old = known("o", "Anna's daughter Mia starts school in Munich in August 2027.", "family")
    texts, changes = after([old], "My daughter Mia starts school in August.")
    assert texts == ["Anna's daughter Mia starts school in August 2027."]
    assert isinstance(changes[0], Replace)


def test_other_dates_are_another_thing() -> None:
    old = known("o", "Anna has an appointment on Friday 20 November 2026.", "plan")
    assert len(after([old], "I have an appointment on Friday.")[0]) == 2


def test_an_older_call_worked_through_late_does_not_undo_a_newer_one() -> None:
    newer = known("n", "Anna works at Bosch.", "employer", days_ago=-1)
    assert after([newer], "I work at Siemens.")[1] == ()
    assert after([newer], "I no longer work at Bosch.")[1] == ()


def test_what_another_person_on_the_line_said_is_left_alone() -> None:
    texts, _ = after([AT_A], "I work at Bosch.", "I no longer work at Siemens.", person="Tom Schmidt")
    assert "Anna works at Siemens." in texts


def test_a_speaker_nobody_knows_by_name_changes_nothing_of_those_who_are() -> None:
    texts, changes = after([AT_A], "I work at Bosch.", person="")
    assert len(texts) == 2
    assert isinstance(changes[0], Keep)


def test_a_first_name_is_enough_to_be_the_same_person() -> None:
    assert after([AT_A], "I work at Bosch.", person="Anna")[0] == ["Anna works at Bosch."]


def test_what_was_kept_before_any_name_was_known_is_theirs_while_nobody_else_is() -> None:
    nameless = known("x", "The caller works at Siemens.", "employer", person="")
    assert after([nameless], "I work at Bosch.")[0] == ["Anna works at Bosch."]
    tom = known("t", "Tom lives in Rome.", "city", person="Tom Weber")
    assert len(after([nameless, tom], "I work at Bosch.")[0]) == 3


def test_german_is_resolved_the_same_way() -> None:
    old = known("a", "Anna arbeitet bei Siemens.", "employer")
    assert after([old], "Ich arbeite jetzt bei Bosch.", language="de")[0] == ["Anna arbeitet bei Bosch."]
    assert after([old], "Ich arbeite nicht mehr bei Siemens.", language="de")[0] == []


def test_two_old_contradictions_are_both_replaced_by_the_new_one() -> None:
    second = known("b", "Anna works at Bosch.", "employer", days_ago=10)
    texts, changes = after([AT_A, second], "I work at Google.")
    assert texts == ["Anna works at Google."]
    assert set(changes) >= {Drop("a")}


def test_ids_do_not_depend_on_what_is_known() -> None:
    said = [Extracted("One.", "note"), Extracted("Two.", "note")]
    first = resolve([], said, now_ms=1, new_id=ids())
    again = resolve([Memory("old", "One.", 0)], said, now_ms=1, new_id=ids())
    assert [change.memory.id for change in first if isinstance(change, Keep)] == ["new0", "new1"]
    assert [change.memory.id for change in again if isinstance(change, Keep)] == ["new1"]

"""Who is here, and what the strictest of them may hear."""

from __future__ import annotations

from agent.meeting.company import Company
from agent.meeting.settings import MeetingSettings
from channels.room import Person
from persona.home import demo

INES, MRS_WHITLOW = Person("ines@alder.example", "Ines"), Person("m.whitlow@example.org", "Margaret")
STRANGER = Person("anna", "Anna")


def company(*people: Person, **settings: object) -> Company:
    made = Company(demo().people, MeetingSettings.model_validate(settings))
    for person in people:
        made.came(person, person.name)
    return made


def test_one_stranger_makes_it_public() -> None:
    here = company(INES, MRS_WHITLOW)
    assert here.caller().known
    here.came(STRANGER, "Anna")
    assert not here.caller().known
    here.went("anna")
    assert here.caller().known


def test_who_is_asked_by_name_keeps_what_is_for_one_alone_for_themselves() -> None:
    assert company(INES).caller().person == "Ines Alder"
    assert company(INES, MRS_WHITLOW).caller().person == ""


def test_a_shared_address_is_nobody_in_particular() -> None:
    caller = company(Person("studio@alder.example", "Rosa")).caller()
    assert (caller.known, caller.person, caller.relation) == (True, "", "")


def test_the_owner_makes_nobody_a_stranger() -> None:
    here = company(INES, Person("martin", "Martin"), owner=["martin"])
    assert here.owner_here
    assert here.caller().known
    assert not company(Person("martin", "Martin"), owner=["martin"]).caller().known


def test_whoever_asks_is_named_as_the_guard_lets_it() -> None:
    here = company(INES)
    here.came(STRANGER, "")
    here.asker = "anna"
    assert here.caller().name == ""
    here.asker = "+447700900377"
    assert here.caller().number == "+447700900377"


def test_who_may_command() -> None:
    here = company(INES, STRANGER, Person("dora", "Dora", may_command=True), may_command=["anna"])
    assert [who for who in here.here if here.may_command(who)] == ["anna", "dora"]


def test_names_of_the_others() -> None:
    here = company(INES, Person("bob"), STRANGER)
    assert here.others("anna") == ("Ines", "bob")
    assert here.others("nobody") == ("Ines", "bob", "Anna")


def test_a_meeting_of_one_is_a_call() -> None:
    here = company(STRANGER)
    assert here.alone
    assert here.present() is None
    here.came(INES, "Ines")
    present = here.present()
    assert present is not None
    assert (present.names, present.people) == (("Anna", "Ines"), 2)


def test_whoever_has_left_still_has_a_name_for_their_last_words() -> None:
    here = company(INES, STRANGER)
    here.went("anna")
    assert here.name("anna") == "Anna"
    assert here.others("") == ("Ines",)

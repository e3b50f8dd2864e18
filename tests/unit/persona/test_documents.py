from __future__ import annotations

import os
from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import documents
from persona.caller import STRANGER, Caller
from persona.documents import Passage


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def pdf(path: Path, *lines: str) -> Path:
    """A one-page PDF file, written by hand: pypdf reads, and does not draw."""
    drawn = "BT /F1 12 Tf 50 700 Td 16 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{written}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    path.write_bytes(body + f"xref\n0 5\n0000000000 65535 f \n{table}{trailer}".encode())
    return path


def sentence(number: int) -> str:
    return f"Sentence number {number} says something about the garden and ends here."


def test_there_may_be_no_documents(tmp_path: Path) -> None:
    assert documents.load(tmp_path / "documents") == ()


def test_a_text_is_cut_into_passages_that_end_with_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, "long_story.txt", " ".join(map(sentence, range(60))))
    passages = documents.load(tmp_path)
    assert all(80 <= len(passage.text.split()) <= 150 for passage in passages[:-1])
    assert all(passage.text.endswith("ends here.") for passage in passages)
    assert " ".join(passage.text for passage in passages).count("Sentence number") == 60
    assert {passage.about for passage in passages} == {"long story"}


def test_headings_of_markdown_say_what_a_passage_is_about(tmp_path: Path) -> None:
    text = (
        "# The *house*\n\nIt is [old](http://a.example).\n\n## Roof\n\n- **Slate**, not tiles.\n<!-- my note -->\n"
    )
    write(tmp_path, "house.md", text)
    assert documents.load(tmp_path) == (
        Passage("The house", "", "It is old.", file="house.md"),
        Passage("The house", "Roof", "Slate, not tiles.", file="house.md"),
    )


def test_front_matter_gives_title_and_audience(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "---\ntitle: The plan\ntell: Anna Berg, Otto Berg\n---\n\nWe dig.\n")
    (passage,) = documents.load(tmp_path, names={"Anna Berg", "Otto Berg"})
    assert (passage.title, passage.text) == ("The plan", "We dig.")
    assert passage.may_hear(Caller(known=True, person="Otto Berg"))
    assert not passage.may_hear(STRANGER)


def test_a_folder_says_who_may_hear_its_documents(tmp_path: Path) -> None:
    write(tmp_path, "inner/folder.toml", 'tell = "nobody"\n')
    write(tmp_path, "inner/deep/a.txt", "Hidden.")
    write(tmp_path, "inner/open.md", "---\ntell: anyone\n---\nOpen.")
    write(tmp_path, "b.txt", "Plain.")
    assert {passage.text: passage.tell for passage in documents.load(tmp_path)} == {
        "Hidden.": "nobody",
        "Open.": "anyone",
        "Plain.": "anyone",
    }


def test_a_pdf_is_read(tmp_path: Path) -> None:
    pdf(tmp_path / "price-list.pdf", "A garden plan costs three hundred", "pounds.")
    (passage,) = documents.load(tmp_path)
    assert passage.about == "price list"
    assert passage.text == "A garden plan costs three hundred pounds."


def test_files_of_the_system_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, ".DS_Store", "x")
    write(tmp_path, ".git/config.txt", "x")
    assert documents.load(tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("a.docx", b"PK", ": not one of .md, .txt, .pdf; convert it"),
        ("a.txt", b"one\ntwo \xff\n", ":2: not UTF-8; save the file as UTF-8"),
        ("a.txt", b"GIF89a\x00\x01", ": not a text file; save it as text in UTF-8"),
        ("a.pdf", b"%PDF-1.4\ngarbage", ": not a PDF that can be read"),
        ("a.pdf", b"", ": not a PDF that can be read"),
        ("a.md", b"---\ntitle: x\n", ":1: '---' opens front matter that never ends"),
        ("a.md", b"---\nowner: x\n---\n", ":2: write 'title: ...' or 'tell: ...'"),
        ("a.md", b"---\n\ntell: strangers\n---\n", ":3: 'tell' is 'anyone', 'known', 'nobody' or names"),
        ("folder.toml", b'tell = "friends"\n', ""),
    ],
)
def test_a_document_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, name: str, data: bytes, complaint: str
) -> None:
    (tmp_path / name).write_bytes(data)
    if name == "folder.toml":
        write(tmp_path, "a.txt", "x")
        complaint = ":1: 'tell':"
    with pytest.raises(PersonaError) as error:
        documents.load(tmp_path)
    assert error.value.message.startswith(f"{tmp_path / name}{complaint}")
    assert "\n" not in error.value.message


@pytest.mark.parametrize(("name", "limit"), [("a.txt", "8 MB"), ("a.md", "8 MB"), ("a.pdf", "64 MB")])
def test_a_gigabyte_is_refused_unread(tmp_path: Path, name: str, limit: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        # A hole: it has the size and takes no room.
        file.truncate(2**30)
    with pytest.raises(PersonaError, match=f"{name}: larger than {limit}; split it"):
        documents.load(tmp_path)


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(PersonaError, match=r"a\.txt: not a file"):
        documents.load(tmp_path)


def test_a_pdf_without_text_says_so(tmp_path: Path) -> None:
    pdf(tmp_path / "scan.pdf")
    with pytest.raises(PersonaError, match="no text in it, perhaps a scan"):
        documents.load(tmp_path)


def test_the_number_of_passages_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_PASSAGES", 3)
    write(tmp_path, "long.txt", " ".join(map(sentence, range(60))))
    with pytest.raises(PersonaError, match=r"long\.txt: more than 3 passages"):
        documents.load(tmp_path)

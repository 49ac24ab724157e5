import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config.document import SIZE_MAX_BYTES, read_document


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = b"""
    text: no
    clock: 12:30
    date: 2026-11-22
    number: 10
    float: 1.5
    exponent: 1e3
    nothing:
    tilde: ~
    truth: true
    quoted: "10"
    block: |
      10
    octal: 0o17
    """
    assert read_document(text, "f").tree == {
        "text": "no",
        "clock": "12:30",
        "date": "2026-11-22",
        "number": 10,
        "float": 1.5,
        "exponent": 1000.0,
        "nothing": None,
        "tilde": None,
        "truth": True,
        "quoted": "10",
        "block": "10\n",
        "octal": "0o17",
    }


def test_an_empty_document_is_an_empty_mapping() -> None:
    for text in (b"", b"# all commented out\n", b"---\n", b"\xef\xbb\xbf"):
        document = read_document(text, "f")
        assert (document.tree, document.faults, document.whole) == ({}, (), True)


def test_every_value_knows_its_line() -> None:
    document = read_document(b"a: 1\nb:\n  - x\n  - y: 2\n", "f.yaml")
    assert document.origin(("b", 1, "y")) == "f.yaml:4"
    assert document.origin(("b", 1, "missing")) == "f.yaml:4"
    assert document.origin(("missing",)) == "f.yaml:1"


@pytest.mark.parametrize(
    ("text", "path", "reason", "source"),
    [
        (b"a: 1\nb:\n  c: 1\n  c: 2\n", "b.c", "is given twice, first in line 3", "f:4"),
        (b"a: &x 1\nb: *x\n", "b", "aliases are not read", "f:2"),
        (
            b"a: !!python/object/apply:os.system [x]\n",
            "a",
            "the tag tag:yaml.org,2002:python/object/apply",
            "f:1",
        ),
        (b"? [1, 2]\n: 3\n", "f", "a key is not plain text", "f:1"),
        (b"a: 1\n---\nb: 2\n", "f", "a second document begins", "f:2"),
    ],
)
def test_what_yaml_may_do_and_a_configuration_may_not(
    text: bytes, path: str, reason: str, source: str
) -> None:
    (fault,) = read_document(text, "f").faults
    assert (fault.path, fault.source) == (path, source)
    assert fault.reason.startswith(reason)


def test_of_a_key_given_twice_the_first_value_is_read() -> None:
    assert read_document(b"a: 1\na: [2]\nb: 3\n", "f").tree == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a: [1\n", "is not YAML"),
        (b"a:\tb\n\t- c\n", "is not YAML"),
        (b"a: \x00\n", "is not YAML: it has control characters"),
        (b"a: caf\xe9\n", "is not UTF-8: byte 7"),
        (b"- a\n- b\n", "is not a mapping"),
        (b"just words\n", "is not a mapping"),
        (b"[" * 100_000, "is nested deeper than 16 levels"),
        (b"#" * (SIZE_MAX_BYTES + 1), "is larger than 1 MiB"),
    ],
)
def test_an_unreadable_document_is_one_fault(text: bytes, reason: str) -> None:
    document = read_document(text, "f")
    assert not document.whole
    (fault,) = document.faults
    assert fault.path == "f"
    assert fault.reason.startswith(reason)


def test_a_bomb_of_aliases_does_not_grow() -> None:
    layers = ["a: &a [x, x, x]"]
    for above, below in zip("abcdefgh", "bcdefghi", strict=True):
        layers.append(f"{below}: &{below} [{', '.join([f'*{above}'] * 9)}]")
    document = read_document("\n".join(layers).encode(), "f")
    assert len(document.faults) == 8 * 9


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(content: bytes) -> None:
    read_document(content, "f")


@given(st.text(alphabet="ab:- []{}&*!?|>'\"#,\n~1.", max_size=60))
def test_no_punctuation_makes_the_reader_raise(content: str) -> None:
    read_document(content.encode(), "f")

import pytest

from kvitok.terminals import Wrong, read_csv


def wrong(text: str) -> list[str]:
    """Return what is wrong with a file."""
    return [str(each) for each in read_csv(text.encode()).wrong]


def test_a_good_file_is_read_whole() -> None:
    """Every column of the contract, quoted cells with commas, empty cells."""
    text = (
        "terminal,name,city,address,lat,lon,timezone,opens,closes\n"
        'A-1,"Касса, у входа",Москва,"Тверская, 1, стр. 2",55.75,37.61,Europe/Moscow,08:00,24:00\n'
        "A-2,,,,,,,,\n"
    )
    reading = read_csv(text.encode())
    assert reading.wrong == []
    assert [row.terminal for row in reading.rows] == ["A-1", "A-2"]
    assert reading.rows[0].name == "Касса, у входа"


def test_a_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    """What spreadsheets write is read."""
    reading = read_csv("\ufeffterminal,city\r\nT1,Тверь\r\n\r\n".encode())
    assert (reading.wrong, [row.city for row in reading.rows]) == ([], ["Тверь"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["line 1: the column 'terminal' is missing"]),
        ("terminal;city\nA;B\n", ["line 1: columns are separated by commas, not semicolons"]),
        ("terminal,adress\nA,B\n", ["line 1: unknown column 'adress'; did you mean address?"]),
        ("terminal,terminal\nA,A\n", ["line 1: column 'terminal' is there twice"]),
        ("terminal,city\nA\nB,C,D\n", [
            "line 2: 1 columns, the header has 2", "line 3: 3 columns, the header has 2",
        ]),
        ("terminal\nA\nB\nA\n", ["line 4: terminal A is on line 2 too"]),
        ("terminal\nA B\n", ["line 2: terminal 'A B': a number is 1 to 32 of A-Z a-z 0-9 _ -"]),
        ('terminal,name\nA,"x\ny"\nB C,z\n', [
            "line 2: name 'x\\ny': no line breaks or other control characters",
            "line 4: terminal 'B C': a number is 1 to 32 of A-Z a-z 0-9 _ -",
        ]),
        ("terminal,opens\nA,25:00\n", ["line 2: opens '25:00': a time of day is written HH:MM"]),
        ("terminal,timezone\nA,Moscow\n", [
            "line 2: timezone 'Moscow': a timezone is an IANA name such as Europe/Moscow",
        ]),
        ('terminal,lat,lon,opens\nA,"55,7",200,25:00\n', [
            "line 2: lat '55,7': a number of degrees with a point, such as 55.76",
            "line 2: lon '200': must be less than or equal to 180",
            "line 2: opens '25:00': a time of day is written HH:MM",
        ]),
        ('terminal\n"A\n', ["line 2: not CSV: unexpected end of data"]),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(text: str, told: list[str]) -> None:
    """A file's mistakes are all told, each with the line that a text editor shows."""
    assert wrong(text) == told


def test_another_encoding_is_told_with_its_line() -> None:
    """A file saved as Windows-1251 is not guessed at."""
    content = "terminal,city\nA,Москва\n".encode("cp1251")
    assert read_csv(content).wrong == (Wrong(2, "not UTF-8: save the file with that encoding"),)


def test_a_large_file_takes_seconds() -> None:
    """100,000 terminals are read."""
    lines = [f"T{number:06},Москва,{number % 90}.5\n" for number in range(100_000)]
    reading = read_csv(("terminal,city,lat\n" + "".join(lines)).encode())
    assert (len(reading.rows), reading.wrong) == (100_000, [])

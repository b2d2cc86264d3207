"""SQL of days and times in the notations that people and spreadsheets use, besides ISO 8601.

Numbers with one order of day and month, names of months, two-digit years, the 12 h clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataport.engine.sql import literal

TRIPLE = r"^([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})([^0-9]|$)"
"""A day that is written as three numbers, with the year last."""
LONGEST_TRIPLE = 11
"""Characters of a text that the pattern looks at."""

CLOCK = (
    r"([0-9]{1,2})(?:[:.h]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,]([0-9]{1,6})0*)?)?)?"
    r"(?:[ \x{A0}\x{202F}]?([AaPp])\.?[Mm]\.?)?"
)
"""Hour, minute, second, fraction, half of the day."""

PIVOT = 69
"""Years of two digits from here on are of the last century, those below of this one (POSIX)."""

_SEPARATORS = (r"\.", "/", "-")
# Any sign beyond ASCII counts as a letter: classes of letters make RE2 ten times slower, and what
# is no name of a month is found out when it is looked up.
_LETTER = r"[^\x00-@\[-`{-\x7f]"
_WEEKDAY = rf"(?:{_LETTER}{{2,12}}\.?,? +)?"
_BETWEEN = r"(?:,? +|T|, ?| at )"
_CLOCKS = r"[0-9]{1,2}[:.h][0-9]{2}.*|[0-9]{1,2}[ \x{A0}\x{202F}]?[AaPp]\.?[Mm]\.?.*"
_DAY_FIRST = (
    rf"([0-9]{{1,2}})(?:st|nd|rd|th|\.|er)?[ \-./]{{1,2}}(?:de |of )?({_LETTER}{{3,10}})"
    r"\.?,?[ \-./]{1,2}(?:de )?([0-9]{4}|[0-9]{2})"
)
_MONTH_FIRST = rf"({_LETTER}{{3,10}})\.? +([0-9]{{1,2}})(?:st|nd|rd|th)?,? +([0-9]{{4}})"

_PAIR = "[0-9]{1,2}"
_USUAL_DAY = rf"(?:{_PAIR}\.{_PAIR}\.|{_PAIR}/{_PAIR}/|{_PAIR}-{_PAIR}-)[0-9]{{4}}"
_USUAL_CLOCKS = (
    (rf"( {_PAIR}:[0-9]{{2}}(:[0-9]{{2}})?)?", None),
    (rf" {_PAIR}:[0-9]{{2}} [AaPp][Mm]", "%Y-%m-%d %I:%M %p"),
    (rf" {_PAIR}:[0-9]{{2}}:[0-9]{{2}} [AaPp][Mm]", "%Y-%m-%d %I:%M:%S %p"),
)
"""What may stand behind such a day, and how to read it then; as a cast reads it where None."""

_NAMED = ((f"^{_WEEKDAY}{_DAY_FIRST}$", "dny"), (f"^{_WEEKDAY}{_MONTH_FIRST}$", "ndy"))
"""Days with the name of a month, and what the groups are."""

_MONTHS = {
    1: "jan ene gen januar",
    2: "feb fév fev",
    3: "mar mär mrz maa mrt",
    4: "apr avr abr",
    5: "may mai mag mei maj",
    6: "jun juin giu",
    7: "jul juil lug",
    8: "aug aoû aou ago",
    9: "sep set",
    10: "oct okt ott out",
    11: "nov",
    12: "dec dez déc dic",
}
"""How names of months begin: English, German, French, Spanish, Italian, Portuguese, Dutch, Nordic."""


Layers = tuple[Mapping[str, str], ...]
"""SQL of columns by name; those of a layer may read all of the layers before."""


def moment_columns(given: str, order: str | None, name: str) -> tuple[str, Layers]:
    """The column of the TIMESTAMP, without a zone, that the SQL `given` is; NULL where it is none.

    What it is made of is worked out once each, in columns whose names begin with `name`: written
    out, it would be too long to plan, and a lambda would look at each row by itself.
    """
    parts = ("given", "usual", "rest", "day", "clock", "month", "iso", "at", "moment")
    text, usual, rest, day, clock, month, iso, at, moment = (f"{name}_{part}" for part in parts)
    day_of, clock_of = split_sql(rest)
    # A day in ISO 8601 may come with another clock.
    is_iso = f"regexp_full_match({day}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    return moment, (
        {text: given},
        {usual: usual_sql(text, order) if order else "NULL::TIMESTAMP"},
        {rest: f"CASE WHEN {usual} IS NULL THEN {text} END"},
        {day: day_of, clock: clock_of},
        {month: _month_name(day)},
        {
            iso: f"CASE WHEN {is_iso} THEN {day} ELSE {day_sql(day, month, order)} END",
            at: f"CASE WHEN {clock} IS NULL THEN '00:00:00' ELSE {clock_sql(clock)} END",
        },
        {moment: f"coalesce({usual}, TRY_CAST({iso} || ' ' || {at} AS TIMESTAMP))"},
    )


def usual_sql(text: str, order: str) -> str:
    """SQL of the TIMESTAMP of a day in numbers, year of four digits last, as nearly all have it.

    It is only there to be quick: NULL where the other patterns have to look.
    """
    groups = r"\3-\2-\1" if order == "dmy" else r"\3-\1-\2"
    pattern = literal(rf"^({_PAIR})[./-]({_PAIR})[./-]([0-9]{{4}})")
    iso = f"regexp_replace({text}, {pattern}, '{groups}')"
    branches = []
    for clock, form in _USUAL_CLOCKS:
        value = f"try_strptime({iso}, {literal(form)})" if form else f"TRY_CAST({iso} AS TIMESTAMP)"
        shape = literal(_USUAL_DAY + clock)
        branches.append(f"WHEN regexp_full_match({text}, {shape}) THEN {value}")
    return f"CASE {' '.join(branches)} END"


def day_sql(text: str, month: str, order: str | None) -> str:
    """SQL of the day that `text` is, as ISO text; NULL where it is none or the order is open.

    The column `month` holds the name of its month in small letters, if it has one.
    """
    numbers = []
    for separator in _SEPARATORS:
        numbers.append(
            _match(
                text,
                rf"^([0-9]{{4}}){separator}([0-9]{{1,2}}){separator}([0-9]{{1,2}})$",
                "ymd",
                month,
            )
        )
        if order:
            pattern = (
                rf"^([0-9]{{1,2}}){separator}([0-9]{{1,2}}){separator}([0-9]{{4}}|[0-9]{{2}})$"
            )
            numbers.append(_match(text, pattern, order, month))
    named = [_match(text, pattern, order, month) for pattern, order in _NAMED]
    written = f"CASE {' '.join(named)} END"
    return f"CASE WHEN {month} IS NULL THEN CASE {' '.join(numbers)} END ELSE {written} END"


def clock_sql(text: str) -> str:
    """SQL of the time of day that `text` is, as HH:MM:SS.ffffff; NULL where it is none."""
    pattern = f"^{CLOCK}$"

    def part(group: int) -> str:
        return f"regexp_extract({text}, {literal(pattern)}, {group})"

    hour = f"TRY_CAST({part(1)} AS INTEGER)"
    is_half = f"{part(5)} <> ''"
    late = f"CASE WHEN lower({part(5)}) = 'p' THEN 12 ELSE 0 END"
    told = f"CASE WHEN {is_half} THEN {hour} % 12 + {late} ELSE {hour} END"
    right = f"CASE WHEN {is_half} THEN {hour} BETWEEN 1 AND 12 ELSE {part(2)} <> '' END"
    digits = [f"lpad(CAST({told} AS VARCHAR), 2, '0')"]
    digits += [f"lpad({part(group)}, 2, '0')" for group in (2, 3)]
    fraction = f"CASE WHEN {part(4)} <> '' THEN '.' || {part(4)} ELSE '' END"
    whole = f"{digits[0]} || ':' || {digits[1]} || ':' || {digits[2]} || {fraction}"
    return f"CASE WHEN regexp_matches({text}, {literal(pattern)}) AND {right} THEN {whole} END"


def split_sql(text: str) -> tuple[str, str]:
    """SQL of the day and of the clock in `text`; the clock is NULL where there is none."""
    pattern = literal(f"^(.*[0-9]){_BETWEEN}({_CLOCKS})$")
    has_clock = f"regexp_matches({text}, {pattern})"
    day = f"CASE WHEN {has_clock} THEN regexp_extract({text}, {pattern}, 1) ELSE {text} END"
    return day, f"CASE WHEN {has_clock} THEN regexp_extract({text}, {pattern}, 2) END"


def _match(text: str, pattern: str, order: str, month: str) -> str:
    """A branch: the day as ISO text where the pattern holds; `n` is the name of a month."""

    def group(letter: str) -> str:
        return f"regexp_extract({text}, {literal(pattern)}, {order.index(letter) + 1})"

    year = group("y")
    short = f"CASE WHEN TRY_CAST({year} AS INTEGER) >= {PIVOT} THEN '19' ELSE '20' END || {year}"
    full = f"CASE WHEN length({year}) = 2 THEN {short} ELSE {year} END"
    number = _month(month) if "n" in order else f"lpad({group('m')}, 2, '0')"
    iso = f"{full} || '-' || {number} || '-' || lpad({group('d')}, 2, '0')"
    return f"WHEN regexp_matches({text}, {literal(pattern)}) THEN {iso}"


def _month_name(day: str) -> str:
    branches = " ".join(
        f"WHEN regexp_matches({day}, {literal(pattern)})"
        f" THEN lower(regexp_extract({day}, {literal(pattern)}, {order.index('n') + 1}))"
        for pattern, order in _NAMED
    )
    has_letters = f"regexp_matches({day}, {literal(_LETTER)})"
    return f"CASE WHEN {has_letters} THEN CASE {branches} END END"


def _month(name: str) -> str:
    """SQL of the two digits of the month whose name in small letters is `name`."""
    branches = " ".join(
        "WHEN "
        + " OR ".join(f"starts_with({name}, {literal(word)})" for word in words.split())
        + f" THEN '{number:02}'"
        for number, words in _MONTHS.items()
    )
    return f"CASE {branches} END"

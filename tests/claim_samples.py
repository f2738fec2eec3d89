"""Announcements whose every check is known: as the electoral councils gave them, by the press named as their source."""

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.percent import Percent

NAMES = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "J")


def figures(votes, percents):
    return tuple(Figure(name, count, Percent(text)) for name, count, text in zip(NAMES, votes, percents, strict=False))


FIRST = Announcement(
    who="Consejo Nacional Electoral (Venezuela)",
    when="28 July 2024",
    source="announcement at 80 % of sheets, as reported by the press",
    contest="president",
    figures=(
        Figure("A", 5_150_092, Percent("51.2")),
        Figure("B", 4_445_978, Percent("44.2")),
        Figure("eight others", percent=Percent("4.6"), others=True),
    ),
    counted_percent=Percent("80"),
    stations=30_000,
    roll=21_400_000,
)

SECOND_VOTES = (6_408_844, 5_326_104, 152_360, 116_421, 92_903, 84_231, 64_452, 40_902, 29_611, 20_056)
SECOND = Announcement(
    who="Consejo Nacional Electoral (Venezuela)",
    when="2 August 2024",
    source="second bulletin, as reported by the press",
    contest="president",
    figures=figures(SECOND_VOTES, ("51.95", "43.18", "1.24", "0.94", "0.75", "0.68", "0.52", "0.33", "0.24", "0.16")),
    valid=12_335_884,
    null=50_785,
    cast=12_386_669,
    percent_of_valid=Percent("99.59"),
    percent_of_null=Percent("0.41"),
    turnout_percent=Percent("59.97"),
    counted_percent=Percent("96.87"),
    stations=30_026,
    roll=21_321_805,
)

SECOND_PERCENTAGES = Announcement(
    who="Consejo Nacional Electoral (Venezuela)",
    when="2 August 2024",
    source="second bulletin, percentages alone",
    contest="president",
    figures=(Figure("A", percent=Percent("51.95")), Figure("B", percent=Percent("43.18"))),
)

EARLIER_2013 = Announcement(
    who="Consejo Nacional Electoral (Venezuela)",
    when="14 April 2013",
    source="first report, as reported by EFE",
    contest="president",
    figures=(Figure("A", percent=Percent("50.66")), Figure("B", percent=Percent("49.07"))),
    counted_percent=Percent("99.12"),
)

LATER_2013_VOTES = (7_559_349, 7_296_876, 19_460, 13_273, 4_225, 1_924)
LATER_2013 = Announcement(
    who="Consejo Nacional Electoral (Venezuela)",
    when="15 April 2013",
    source="second report, as reported by EFE",
    contest="president",
    figures=figures(LATER_2013_VOTES, ("50.75", "48.98", "0.13", "0.08", "0.02", "0.01")),
    valid=14_895_107,
    cast=14_961_701,
    turnout_percent=Percent("79.8"),
    counted_percent=Percent("99.17"),
    roll=18_904_364,
)

FLORIDA = Announcement(
    who="Florida Department of State",
    when="26 November 2000",
    source="certified result",
    contest="president",
    figures=(Figure("A", 2_912_790), Figure("B", 2_912_253)),
    valid=5_963_110,
    counted_percent=Percent("100"),
)

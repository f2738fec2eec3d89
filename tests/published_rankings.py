"""Ballots of published instant run-offs, as numbers of ballots by order of preference, with what others computed from them.

Candidates are numbers, in the order of the source. Sources of ballots: New South Wales Electoral Commission (CC BY 4.0), as
brought together in github.com/DemocracyDevelopers/raire-java, folder `Australian Examples`; the City and County of San Francisco,
in github.com/pbstark/SHANGRLA, file SFDA2019_PrelimReport12VBMJustDASheets.raire. Values of raire-rs stand in the same folder.
"""

from dataclasses import dataclass

from scrutineer.count.outcome import RankedTally


@dataclass(frozen=True)
class Published:
    """A contest with what raire-rs says about it: winner, greatest difficulty, smallest margin, number of assertions."""

    candidates: int
    ballots: str
    winner: int
    difficulty: float
    margin: int
    assertions: int

    def tally(self) -> RankedTally:
        """The ballots as a tally."""
        return tally_of(self.candidates, self.ballots)


def tally_of(candidates: int, ballots: str, blank: int = 0) -> RankedTally:
    """A tally written as `order:ballots`, apart by spaces."""
    pairs = (pair.split(":") for pair in ballots.split())
    return RankedTally(candidates, tuple((tuple(map(int, order)), int(count)) for order, count in pairs), blank)


HUNTERS_HILL = Published(
    4,
    "0:276 01:46 0123:146 0132:33 02:14 0213:36 023:3 0231:85 03:3 0312:4 032:2 0321:49 1:1521 10:978 102:5 1023:233 1032:75 "
    "12:85 120:2 1203:107 123:2 1230:154 13:46 1302:32 1320:91 2:793 20:15 2013:35 203:2 2031:115 21:48 210:2 2103:66 213:3 "
    "2130:75 23:85 230:5 2301:664 231:3 2310:104 3:683 30:12 301:1 3012:23 302:1 3021:107 31:27 3102:31 312:2 3120:45 32:90 "
    "320:9 3201:1149 3210:133",
    winner=1,
    difficulty=38.330275229357795,
    margin=218,
    assertions=6,
)
URALLA = Published(
    3,
    "0:1798 01:69 012:244 02:121 021:591 1:269 10:23 102:70 12:22 120:81 2:243 20:34 201:114 21:23 210:79",
    winner=0,
    difficulty=1.6297413793103448,
    margin=2320,
    assertions=3,
)
BELLINGEN = Published(
    3,
    "0:3729 01:100 012:747 02:44 021:334 1:618 10:27 102:153 12:38 120:183 2:1290 20:48 201:295 21:92 210:676",
    winner=0,
    difficulty=3.3335987261146496,
    margin=2512,
    assertions=2,
)
CESSNOCK = Published(
    4,
    "0:2085 01:252 012:6 0123:351 013:10 0132:503 02:44 021:3 0213:111 023:2 0231:76 03:106 031:4 0312:306 0321:147 1:11018 "
    "10:265 102:4 1023:459 103:14 1032:802 12:175 120:11 1203:304 123:11 1230:647 13:312 130:9 1302:823 132:6 1320:769 2:4675 "
    "20:49 201:1 2013:112 203:1 2031:99 21:118 210:4 2103:197 213:9 2130:338 23:197 230:3 2301:370 231:3 2310:740 3:6603 "
    "30:116 301:4 3012:443 302:1 3021:272 31:219 310:7 3102:392 312:8 3120:617 32:155 3201:253 321:13 3210:843",
    winner=1,
    difficulty=6.466513111268604,
    margin=5644,
    assertions=3,
)
SINGLETON = Published(
    4,
    "0:3415 01:190 012:5 0123:304 013:13 0132:333 02:124 021:7 0213:182 023:2 0231:95 03:100 031:9 0312:269 032:4 0321:90 "
    "1:2426 10:135 102:4 1023:233 103:4 1032:204 12:112 120:2 1203:185 1230:178 13:106 130:8 1302:121 132:2 1320:91 2:2072 "
    "20:131 201:6 2013:153 203:2 2031:91 21:110 210:7 2103:193 213:7 2130:129 23:28 230:2 2301:53 231:2 2310:99 3:1054 30:68 "
    "301:3 3012:122 302:1 3021:46 31:55 310:5 3102:124 312:4 3120:95 32:24 3201:36 321:2 3210:78",
    winner=0,
    difficulty=12.118942731277533,
    margin=1135,
    assertions=3,
)
CONTESTS = {
    "Hunter's Hill": HUNTERS_HILL,
    "Uralla": URALLA,
    "Bellingen": BELLINGEN,
    "Cessnock": CESSNOCK,
    "Singleton": SINGLETON,
}

SAN_FRANCISCO = tally_of(
    4,
    "0:18351 01:1966 012:1564 0123:2877 013:582 0132:1807 02:2274 021:1726 0213:2707 023:505 0231:1378 03:2586 031:729 "
    "0312:2212 032:456 0321:1640 1:4667 10:1271 102:672 1023:1548 103:325 1032:1114 12:1621 120:887 1203:1888 123:587 "
    "1230:2314 13:682 130:388 1302:1002 132:394 1320:1082 2:8795 20:1774 201:1147 2013:2115 203:386 2031:1113 21:2056 "
    "210:1515 2103:2636 213:667 2130:2709 23:638 230:406 2301:1340 231:475 2310:1394 3:19905 30:3916 301:876 3012:2906 "
    "302:564 3021:1664 31:2219 310:888 3102:2000 312:936 3120:2357 32:776 320:399 3201:1188 321:750 3210:2087",
    blank=10_263,
)

from scrutineer.election.toml_lines import KeyPath, key_lines

TEXT = '''# a comment = 1
a = 1
[x.y]
"b.c" = """several
lines \\""" "
""" # = [
literal = \'\'\'
[not.a.header]
\'\'\'
[[contest]]
id = "a # b"
alternative = { share = "1/2", lead = '3' }
list = [ 1,
 [2, 3], # ]
 "x]"
]
  [[contest.option]]
  id = "o"
  [[contest.option]]
  id = "p"
  [contest.more]
  z.q = 1979-05-27T07:32:00Z
[[contest]]
id = "b"
[[contest.option]]
id = """"quoted""""
'''


def test_every_key_stands_on_its_line() -> None:
    expected: dict[KeyPath, int] = {
        ("a",): 2,
        ("x", "y"): 3,
        ("x", "y", "b.c"): 4,
        ("x", "y", "literal"): 7,
        ("contest",): 10,
        ("contest", 0): 10,
        ("contest", 0, "id"): 11,
        ("contest", 0, "alternative"): 12,
        ("contest", 0, "alternative", "share"): 12,
        ("contest", 0, "alternative", "lead"): 12,
        ("contest", 0, "list"): 13,
        ("contest", 0, "list", 0): 13,
        ("contest", 0, "list", 1): 14,
        ("contest", 0, "list", 1, 0): 14,
        ("contest", 0, "list", 1, 1): 14,
        ("contest", 0, "list", 2): 15,
        ("contest", 0, "option"): 17,
        ("contest", 0, "option", 0): 17,
        ("contest", 0, "option", 0, "id"): 18,
        ("contest", 0, "option", 1): 19,
        ("contest", 0, "option", 1, "id"): 20,
        ("contest", 0, "more"): 21,
        ("contest", 0, "more", "z"): 22,
        ("contest", 0, "more", "z", "q"): 22,
        ("contest", 1): 23,
        ("contest", 1, "id"): 24,
        ("contest", 1, "option"): 25,
        ("contest", 1, "option", 0): 25,
        ("contest", 1, "option", 0, "id"): 26,
    }
    assert key_lines(TEXT) == expected

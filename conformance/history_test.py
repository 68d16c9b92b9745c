"""The checker's own test: a sound history passes, and each way to be wrong breaks exactly its rule."""

import sys
import unittest

import history
from history import Facts, RULES

SOUND = """\
created t
sent w/t/0/0
acked w/t/0/0 t 0 0
sent w/t/0/1
sent w/t/0/2
read m t 0 0 w/t/0/0
committed m t 0 1
kill 1
ready 1 0.1
asked
stored t 0 1
failed w/t/0/1 timeout
acked w/t/0/2 t 0 1
read m t 0 1 w/t/0/2
committed m t 0 2
asked
stored t 0 2
listed t
log t 0 0 w/t/0/0
log t 0 1 w/t/0/2
"""

# What to replace in the sound history, by what, and the rules that must notice.
WRONG = [
    ("log t 0 1 w/t/0/2\n", "", {"nothing_lost", "offsets_kept", "what_was_read_stays"}),
    ("log t 0 1 w/t/0/2\n", "log t 0 1 w/t/0/2\nlog t 0 2 w/t/0/2\n", {"nothing_twice", "in_order", "group_saw_all"}),
    ("log t 0 1 w", "log t 0 2 w", {"contiguous", "offsets_kept", "what_was_read_stays", "group_saw_all"}),
    ("acked w/t/0/2 t 0 1", "acked w/t/0/2 t 0 5", {"offsets_kept"}),
    ("sent w/t/0/2\n", "", {"nothing_invented"}),
    ("read m t 0 1 w/t/0/2\n", "", {"group_saw_all"}),
    ("read m t 0 1 w/t/0/2", "read m t 0 1 w/t/0/1", {"what_was_read_stays"}),
    ("stored t 0 1", "stored t 0 0", {"commits_kept"}),
    ("stored t 0 2", "stored t 0 1", {"commits_kept"}),
    ("listed t\n", "", {"topics_kept"}),
    ("kill 1", "violation fatal", {"no_violation"}),
    ("asked\nstored t 0 1\n", "", set()),
    # A commit that is acknowledged while the question is under way need not be in the answer.
    ("asked\nstored t 0 1", "asked\ncommitted m t 0 2\nstored t 0 1", set()),
    # A duplicate whose place the broker did not name.
    ("acked w/t/0/2 t 0 1", "acked w/t/0/2 t 0 -1", set()),
]


def broken_rules(text):
    lines = [line.replace(" ", "\t") for line in text.splitlines()]
    facts = Facts(lines)
    return {rule.__name__ for rule in RULES if list(rule(facts))}


class CheckerTest(unittest.TestCase):
    def test_sound(self):
        self.assertEqual(broken_rules(SOUND), set())

    def test_wrong(self):
        for old, new, rules in WRONG:
            with self.subTest(old=old, new=new):
                self.assertIn(old, SOUND)
                self.assertEqual(broken_rules(SOUND.replace(old, new, 1)), rules)

    def test_order(self):
        # The two records change places in every line that says where they lie.
        swapped = SOUND
        for old, new in [("0 0 w/t/0/0", "0 0 X"), ("0 1 w/t/0/2", "0 1 w/t/0/0"), ("0 0 X", "0 0 w/t/0/2")]:
            swapped = swapped.replace(old, new)
        for value, old, new in [(0, 0, 1), (2, 1, 0)]:
            swapped = swapped.replace(f"acked w/t/0/{value} t 0 {old}", f"acked w/t/0/{value} t 0 {new}")
        self.assertEqual(broken_rules(swapped), {"in_order"})

    def test_every_rule_was_broken_once(self):
        noticed = set().union(*(rules for _, _, rules in WRONG))
        self.assertEqual(noticed, {rule.__name__ for rule in history.RULES})


if __name__ == "__main__":
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(CheckerTest))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)

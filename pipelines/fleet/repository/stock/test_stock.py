import unittest

from stock import take


class Take(unittest.TestCase):
    def test_lowers_the_count(self):
        self.assertEqual(take({"nail": 10}, "nail", 4), {"nail": 6})

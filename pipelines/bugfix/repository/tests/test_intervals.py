import unittest

from intervals import covers, merge


class Merge(unittest.TestCase):
    def test_overlapping_intervals_become_one(self):
        self.assertEqual(merge([(8, 12), (10, 16)]), [(8, 16)])

    def test_separate_intervals_stay_apart(self):
        self.assertEqual(merge([(14, 16), (8, 12)]), [(8, 12), (14, 16)])

    def test_an_interval_inside_another_disappears(self):
        self.assertEqual(merge([(8, 16), (9, 10)]), [(8, 16)])


class Covers(unittest.TestCase):
    def test_both_ends_belong_to_an_interval(self):
        self.assertTrue(covers([(8, 12)], 8))
        self.assertTrue(covers([(8, 12)], 12))


if __name__ == "__main__":
    unittest.main()

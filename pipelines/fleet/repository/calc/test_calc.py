import unittest

from calc import mean


class Mean(unittest.TestCase):
    def test_of_three_numbers(self):
        self.assertEqual(mean([1, 2, 6]), 3)

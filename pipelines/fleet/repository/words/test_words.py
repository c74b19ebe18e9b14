import unittest

from words import count


class Count(unittest.TestCase):
    def test_counts_each_word(self):
        self.assertEqual(count("a b a"), {"a": 2, "b": 1})

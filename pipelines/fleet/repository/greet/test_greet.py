import unittest

from greet import greet


class Greet(unittest.TestCase):
    def test_names_the_person(self):
        self.assertEqual(greet("Ada"), "Hello, Ada!")

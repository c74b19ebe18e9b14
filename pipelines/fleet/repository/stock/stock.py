"""What is in stock, as a dict from article to count."""


def take(stock, article, count):
    """Return the stock after taking `count` of an article."""
    return {**stock, article: stock[article] - count}

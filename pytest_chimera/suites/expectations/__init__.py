"""What can be expected of an answer, one small pure function each: from what is wanted and a text to what is not met.

Each gives sentences that begin with its own name and end with the place in the answer. None of them raises for a text,
whatever a model wrote.
"""

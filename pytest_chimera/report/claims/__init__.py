"""Parts of the claim check: a text in pieces, its numbers, what they speak of, what the data say, and the verdict.

A number passes from room to room in this order: `text` cuts a Markdown text into pieces that know their surroundings,
`numbers` finds the numbers in a piece, `meaning` says which metric, statistic and condition is meant, `scope` whom it
is about and in which files, `values` computes what the data say to that, `judge` compares.
"""

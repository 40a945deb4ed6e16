"""This run against saved runs: what is comparable, how much runs differ by noise, and a verdict for each metric.

`sources` finds files and `saved` reads them; `conditions` and `baseline` choose what a case may be compared with;
`rule` with `history` and `moderation` is the statistics; `judge` puts them together. Failing a test is not done here.
"""

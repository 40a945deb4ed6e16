"""The few functions of probability that are needed: tails of t, F and normal, quantiles, digamma, trigamma.

Pure, and exact to 1e-12 up to ten thousand degrees of freedom, to 1e-9 up to ten million. scipy, which would be a large
dependency for seven functions, is their oracle in the tests.
"""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

_NORMAL = NormalDist()
_SERIES_FROM = 12.0
"""From here on the asymptotic series below are exact to the last digits; smaller arguments are moved up to it."""
_NORMAL_FROM = 1e10
"""Degrees of freedom from which a quantile of t differs from the normal's by less than one part in 1e9."""
_LONGEST_PRODUCT = 200.0
"""Up to here the ratio of two Gammas is a product of its terms, which loses no digits."""
_TINY = 1e-300
_STEPS = 200
_EXACT = 1e-15


def normal_quantile(p: float) -> float:
    """The value below which a share `p` of a standard normal lies; p within (0, 1)."""
    return _NORMAL.inv_cdf(p)


def normal_tail(x: float) -> float:
    """The share of a standard normal above `x`."""
    return 0.5 * math.erfc(x / math.sqrt(2))


def t_tail(x: float, df: float) -> float:
    """The share of Student's t with `df` degrees of freedom above `x`; `df` may be fractional or infinite."""
    if df >= _NORMAL_FROM:
        return normal_tail(x)
    if x < 0:
        return 1 - t_tail(-x, df)
    if math.isinf(x * x / df):
        return 0.0  # for one degree of freedom a float could still hold it; nobody asks that
    return 0.5 * _beta_share(x * x / df, df / 2)


@functools.lru_cache(maxsize=4096)
def t_upper_quantile(tail: float, df: float) -> float:
    """The value above which a share `tail` of Student's t lies: exact also for tails too small for `1 - tail`."""
    if tail > 0.5:  # noqa: PLR2004  # the distribution is symmetric about 0
        return -t_upper_quantile(1 - tail, df)
    if tail == 0.5:  # noqa: PLR2004  # same
        return 0.0
    start = -_NORMAL.inv_cdf(tail)
    return start if df >= _NORMAL_FROM else _solve_tail(tail, df, start)


def f_tail(x: float, df1: int, df2: int) -> float:
    """The share of F with `df1` and `df2` degrees of freedom, both at least 1, above `x`."""
    if x <= 0:
        return 1.0
    odds = df1 / df2 * x
    if math.isinf(odds):
        return 0.0
    a, b = df2 / 2, df1 / 2
    below, rest = 1 / (1 + odds), odds / (1 + odds)  # 1 - below would lose the digits of a small `rest`
    front = math.exp(_log_gamma_ratio(max(a, b), min(a, b)) - a * math.log1p(odds) + b * math.log(rest))
    if below < (a + 1) / (a + b + 2):
        return front * _fraction(below, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def digamma(x: float) -> float:
    """The derivative of ln Gamma, for x above 0."""
    shift = 0.0
    while x < _SERIES_FROM:
        shift -= 1 / x
        x += 1
    y = 1 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * 691 / 32760)))))
    return shift + math.log(x) - 0.5 / x - series


def trigamma(x: float) -> float:
    """The second derivative of ln Gamma, for x above 0."""
    shift = 0.0
    while x < _SERIES_FROM:
        shift += 1 / (x * x)
        x += 1
    y = 1 / (x * x)
    series = y / x * (1 / 6 - y * (1 / 30 - y * (1 / 42 - y * (1 / 30 - y * (5 / 66 - y * 691 / 2730)))))
    return shift + 1 / x + y / 2 + series


def trigamma_inverse(value: float) -> float:
    """The x above 0 whose trigamma is `value`, which is above 0.

    Newton's method on 1 / trigamma, which is nearly a straight line (Smyth 2004, appendix).
    """
    x = 0.5 + 1 / value
    for _ in range(_STEPS):
        found = trigamma(x)
        step = found * (1 - found / value) / _tetragamma(x)
        x += step
        if abs(step) <= _EXACT * x:
            break
    return x


def _tetragamma(x: float) -> float:
    shift = 0.0
    while x < _SERIES_FROM:
        shift -= 2 / x**3
        x += 1
    y = 1 / (x * x)
    return shift - y - y / x - y * y * (0.5 - y * (1 / 6 - y * (1 / 6 - y * (3 / 10 - y * 5 / 6))))


def _beta_share(odds: float, a: float) -> float:
    """The regularized incomplete beta function I_x(a, 1/2) at x = 1 / (1 + odds)."""
    if odds == 0:
        return 1.0
    x, rest = 1 / (1 + odds), odds / (1 + odds)  # 1 - x would lose the digits of a small `rest`
    front = math.exp(-a * math.log1p(odds) + _log_gamma_step(a)) * math.sqrt(rest / math.pi)
    if x < (a + 1) / (a + 2.5):
        return front * _fraction(x, a, 0.5) / a
    return 1 - front * _fraction(rest, 0.5, a) / 0.5


def _log_gamma_step(x: float) -> float:
    """ln Gamma(x + 1/2) - ln Gamma(x), without the cancellation of two large logarithms."""
    if x < _SERIES_FROM:
        return math.lgamma(x + 0.5) - math.lgamma(x)
    y = 1 / (x * x)
    return 0.5 * math.log(x) - (1 / 8 - y * (1 / 192 - y * (1 / 640 - y * (17 / 14336 - y * 31 / 18432)))) / x


def _log_gamma_ratio(x: float, step: float) -> float:
    """ln (Gamma(x + step) / Gamma(x) / Gamma(step)), for a step of whole or half numbers that is not above x."""
    if step > _LONGEST_PRODUCT:
        return math.lgamma(x + step) - math.lgamma(x) - math.lgamma(step)
    whole = int(step)
    product = math.fsum(math.log(x + n) for n in range(whole))
    half = 0.0 if step == whole else _log_gamma_step(x + whole)
    return product + half - math.lgamma(step)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, 100_000):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _off_zero(1 + factor * d)
            c = _off_zero(1 + factor / c)
            result *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return result


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _solve_tail(tail: float, df: float, start: float) -> float:
    """The x with `t_tail(x, df) == tail`: Newton's method on the logarithm of the tail, held between bounds."""
    low, high = 0.0, max(start, 1.0)
    while t_tail(high, df) > tail:
        low, high = high, 2 * high
    x = min(max(start, low), high)
    for _ in range(_STEPS):
        found = t_tail(x, df)
        low, high = (x, high) if found > tail else (low, x)
        density = math.exp(_log_gamma_step(df / 2) - (df + 1) / 2 * math.log1p(x * x / df)) / math.sqrt(df * math.pi)
        step = math.log(found / tail) * found / density if density > 0 else math.inf
        moved = x + step if low < x + step < high else (low + high) / 2
        if abs(moved - x) <= 4 * _EXACT * moved:
            return moved
        x = moved
    return x

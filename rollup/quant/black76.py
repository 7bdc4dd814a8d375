"""Black-76 in numpy: undiscounted prices, Greeks and implied volatilities of European options, for whole arrays.

Options here are paid and settled in the stablecoin without interest, so nothing is discounted. Every function
broadcasts its arguments. Units: forward, strike and price in one currency per coin (USD), `years` of 365 days,
volatility per √year as a fraction (0.8 is 80 %).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcx, ndtr

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

YEAR: Final = 365 * 86_400
"""Seconds of the year in which volatility is quoted."""

_SQRT_HALF_PI: Final = float(np.sqrt(np.pi / 2))
_LOG_SQRT_2PI: Final = float(np.log(2 * np.pi) / 2)
_SQRT_2: Final = float(np.sqrt(2.0))
_DEVIATIONS: Final = (1e-7, 24.0)
"""Total standard deviations σ√t between which a volatility is sought: beyond, a price says nothing in 53 bits."""
_ITERATIONS: Final = 200
"""More than bisection alone would need."""


class Greeks(NamedTuple):
    """First-order sensitivities and gamma of one option each; currency per coin and per unit of the variable.

    `vega` is per 1.00 of volatility, `theta` the change of the price per year of passing time with forward and
    volatility held; both as calculus has them. Traders' units (a point, a day) are made in `rollup.quant.greeks`.
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def price(is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike) -> Floats:
    """Prices. The value out of the money comes first and parity gives the rest, so that no price loses its tail.

    Without time or volatility it is the payoff. NaN where forward or strike is not positive, or time or volatility
    is negative.
    """
    call, f, k, t, v = _broadcast(is_call, forward, strike, years, volatility)
    return _silence(_otm_value(f, k, v * np.sqrt(t)) + _intrinsic(call, f, k), f, k, t, v)


def greeks(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike
) -> Greeks:
    """Delta, gamma, vega and theta; NaN where `price` is.

    Without time or volatility delta is the payoff's slope (a half at the strike) and gamma and theta, which have no
    limit at the strike, are zero.
    """
    call, f, k, t, v = _broadcast(is_call, forward, strike, years, volatility)
    root = np.sqrt(np.maximum(t, 0.0))
    deviation = v * root
    first = _first(np.log(f / k), deviation)
    density = f * np.exp(-first * first / 2 - _LOG_SQRT_2PI)
    alive = deviation > 0
    safe = np.where(alive, deviation, 1.0)
    return Greeks(
        _silence(np.where(call, ndtr(first), -ndtr(-first)), f, k, t, v),
        _silence(np.where(alive, density / (f * f * safe), 0.0), f, k, t, v),
        _silence(density * root, f, k, t, v),
        _silence(np.where(alive, -density * v * v / (2 * safe), 0.0), f, k, t, v),
    )


def implied_volatility(
    is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, price: ArrayLike
) -> Floats:
    """Volatilities that give the prices, to a few units of the last place of what the price holds.

    NaN where no volatility does: a price at or below the payoff, at or above the forward (call) or strike (put), one
    whose time value is lost in the rounding of the price itself, or inputs out of their domain. Newton's method on the
    logarithm of the value out of the money, which is concave in σ√t, kept inside a shrinking bracket.
    """
    call, f, k, t, paid = _broadcast(is_call, forward, strike, years, price)
    value = paid - _intrinsic(call, f, k)
    noise = 4 * np.finfo(np.float64).eps * np.maximum(paid, np.maximum(f, k) * (value != paid))
    good = np.isfinite(value) & (value > noise) & (value < np.minimum(f, k)) & (t > 0) & (f > 0) & (k > 0)
    result = np.full(value.shape, np.nan)
    result[good] = _deviation(f[good], k[good], value[good]) / np.sqrt(t[good])
    return result


def _deviation(f: Floats, k: Floats, value: Floats) -> Floats:
    """σ√t of values out of the money; NaN beyond the search bounds."""
    lesser, distance = np.minimum(f, k), -np.abs(np.log(f / k))
    wanted = np.log(value / lesser)
    low, high = (np.full(f.shape, bound) for bound in _DEVIATIONS)
    guess = np.maximum(np.sqrt(-2 * distance), np.minimum(1.0, value / lesser * 2.5))
    guess = np.clip(guess, _DEVIATIONS[0] * 2, _DEVIATIONS[1] / 2)
    for _ in range(_ITERATIONS):
        first = distance / guess + guess / 2
        mills = _mills_difference(first, guess)
        error = np.log(mills) - first * first / 2 - _LOG_SQRT_2PI - wanted
        high = np.where(error > 0, guess, high)
        low = np.where(error < 0, guess, low)
        step = guess - error * mills
        step = np.where((step > low) & (step < high), step, np.sqrt(low * high))
        step = np.where(error == 0, guess, step)
        done = np.abs(step - guess) <= 2e-16 * guess
        guess = step
        if done.all():
            break
    inside = (guess > _DEVIATIONS[0] * 1.001) & (guess < _DEVIATIONS[1] * 0.999)
    return np.where(inside, guess, np.nan)


def _otm_value(f: Floats, k: Floats, deviation: Floats) -> Floats:
    """Value of the call or put that is out of the money: the same for both by exchanging forward and strike."""
    first = _first(-np.abs(np.log(f / k)), deviation)
    flat = (deviation == 0) | (first < -37)  # below exp(-37²/2), nothing is left
    first = np.where(flat, 0.0, first)
    scale = np.minimum(f, k) * np.exp(-first * first / 2 - _LOG_SQRT_2PI)
    return np.where(flat, 0.0, scale * _mills_difference(first, np.where(flat, 1.0, deviation)))


def _mills_difference(first: Floats, deviation: Floats) -> Floats:
    """N(d₁)/φ(d₁) − N(d₂)/φ(d₂) with d₂ = d₁ − σ√t: what vega must be multiplied with to give the value.

    By the scaled complementary error function nothing under- or overflows, and only the difference of two near numbers
    is lost when σ√t is small. Never zero, so that it has a logarithm.
    """
    near, far = (np.maximum(-d / _SQRT_2, -26.0) for d in (first, first - deviation))
    return np.maximum(_SQRT_HALF_PI * (erfcx(near) - erfcx(far)), 1e-300)


def _first(log_moneyness: Floats, deviation: Floats) -> Floats:
    """d₁; its limit where nothing deviates: ±∞, or 0 at the money."""
    alive = deviation > 0
    limit = np.where(log_moneyness == 0, 0.0, np.copysign(np.inf, log_moneyness))
    with np.errstate(over="ignore"):
        ratio = log_moneyness / np.where(alive, deviation, 1.0)
    return np.where(alive, ratio + deviation / 2, limit)


def _intrinsic(call: Flags, f: Floats, k: Floats) -> Floats:
    return np.maximum(np.where(call, f - k, k - f), 0.0)


def _broadcast(is_call: ArrayLike, *numbers: ArrayLike) -> tuple[Flags, Floats, Floats, Floats, Floats]:
    """Arrays of one shape; forwards, strikes and times out of their domain become NaN, which goes on silently."""
    call, f, k, t, last = np.broadcast_arrays(
        np.asarray(is_call, np.bool_), *(np.asarray(number, np.float64) for number in numbers)
    )
    f, k = (np.where(side > 0, side, np.nan) for side in (f, k))
    return call, f, k, np.where(t >= 0, t, np.nan), np.asarray(last, np.float64)


def _silence(result: Floats, f: Floats, k: Floats, t: Floats, v: Floats) -> Floats:
    """`result` where every input is in its domain, NaN elsewhere."""
    good = np.isfinite(f) & np.isfinite(k) & (t >= 0) & (v >= 0)
    return np.where(good, result, np.nan)

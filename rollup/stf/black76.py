"""Black-76 prices of European options on a forward, in integers; one exponential a price.

With x = ln(F/K), the total deviation s, h = |x|/s and the Mills ratio M(y) = N(-y)/φ(y), the option that is out of the
money is worth min(F, K) · u, where F φ(d₁) = K φ(d₂) leaves

    u = φ(h - s/2) (M(h - s/2) - M(h + s/2))        if h ≥ s/2
    u = 1 - φ(s/2 - h) (M(s/2 - h) + M(s/2 + h))    if not,

and put-call parity gives the other one. No term is larger than min(F, K), so the error is within 10^-9 of that however
far strike and forward are apart. Rules and constants: contracts/PRICING.md section 4.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rollup.stf import wad
from rollup.types.limits import MILLION

Deviations = tuple[int, int, int]
"""Total standard deviations (wads) with the volatility shocked up, as it is, and shocked down."""

_TAIL: Final = 8 << 32
"""From here on φ(y) M(y) is below 2^-50, so less than one µUSD of any price."""
_FRACTION: Final = (1 << 32) - 1
_HALF_LOG2_E: Final = 0xB8AA3B295C17F0BBBE87FED0
_SHARES: Final = 108
_ONE: Final = 1 << _SHARES

# 2^-f / √(2π) for f in [0, 1), alternating in sign; exact at both ends.
_E0: Final = 0x662114CF50D942343F2CF1402EAE38BFD3829F30512706D8C0471B4802639D2E
_E1: Final = 0x46CA63A87576419E686D1B00D21DA5FF4EA8BA70C40FFD2660238DA4
_E2: Final = 0x1888BD46C98A4CAAE4B626BE7AB32D41DDE04EEF9B7C79BA
_E3: Final = 0x5AB24329600D893E98620CFD189AE1378F8E417
_E4: Final = 0xFB653E6B0829914A17FCFC119D0A71
_E5: Final = 0x22B5432A0EC1F6FC71608A
_E6: Final = 0x3D82B5886C4D3
_E7: Final = 0x47FA

# The Mills ratio on [0, 12.2] as a quotient, monic below; exact at 0, so that u is continuous where h = s/2.
_P0: Final = 0x28FA6C03CED551BBEC069021FC9F2D5AD956EE099D323C7E6BC60C2E8203F8
_P1: Final = 0x2865132DBBD46160A770C494361E34D084B5C205C6A74DB2511949
_P2: Final = 0x1379345DBE05F1863109D7FCCC03B393D51AF676C1C3AE
_P3: Final = 0x5656255B799A382403128AA515E439EBE00B1
_P4: Final = 0xDA8B1E73B16970E924A2B78A883F
_P5: Final = 0xFFFFC75FB9F2D262967
_Q0: Final = 0x20B2254C618AA7D9FDA914BC0CBFC1292D1507AC3B559B0A638
_Q1: Final = 0x3A5164DF504E9B755A16B6D70D8452C701EB00B0755
_Q2: Final = 0x2DB87A647D250E4BFC4DEF8D92D65813090
_Q3: Final = 0x14527210EFC43EC56455EB7CAAF
_Q4: Final = 0x575776400BEEC4639C
_Q5: Final = 0xDA8A50BF8

_STEPS: Final = (0, 1, -1, 2, -2, 3, -3, 4, -4)
_FULL_STEPS: Final = 7
"""So many shocks come with all three volatilities, the others with the one shocked up."""


class Step(NamedTuple):
    """One shock of the price: its factor in ppm, and that factor's logarithm (wad)."""

    factor: int
    log: int


def make_steps(spot_step: int) -> tuple[Step, ...]:
    """The nine shocks of an underlying, 0, +1, -1, … +4, -4 times `spot_step` (ppm, at most 200 000)."""
    factors = [MILLION + k * spot_step for k in _STEPS]
    return tuple(Step(factor, wad.ln_ratio(factor, MILLION)) for factor in factors)


def deviations(volatility: int, root_time: int, up: int, down: int) -> Deviations:
    """Volatility times √time under the three volatilities; all wads, each product rounded down."""
    same = volatility * root_time // wad.ONE
    return same * up // wad.ONE, same, same * down // wad.ONE


def price(is_call: bool, forward: int, strike: int, x: int, s: int) -> int:
    """µUSD per coin of an option, at least what it is worth exercised now, at most forward (call) or strike (put).

    Prices are in µUSD, 0 ≤ F < 2^48, 1 ≤ K < 2^48. `x` is ln(F/K) and `s` is volatility · √time, both wads; |x| ≤ 40,
    0 ≤ s < 2^96. The option that is out of the money is rounded down, so call - put is F - K exactly.
    """
    least = min(forward, strike)
    return (forward if is_call else strike) - least + (least * _share(abs(x) << 32, s, _halve(s)) >> _SHARES)


def grid(
    is_call: bool, forward: int, strike: int, x: int, spreads: Deviations, steps: tuple[Step, ...]
) -> tuple[int, ...]:
    """Prices under the 23 scenarios of margin, in their order.

    Seven shocks with the volatility up, same and down each, then ±4 with it up. As `price`, of the forward times the
    factor, rounded down, and `x` plus the factor's logarithm.
    """
    prices = []
    halved = [(s, _halve(s)) for s in spreads]
    for number, (factor, log) in enumerate(steps):
        shocked = forward * factor // MILLION
        least = min(shocked, strike)
        gain = (shocked if is_call else strike) - least
        scaled = abs(x + log) << 32
        for s, half in halved if number < _FULL_STEPS else halved[:1]:
            prices.append(gain + (least * _share(scaled, s, half) >> _SHARES))
    return tuple(prices)


def _halve(s: int) -> int:
    """s/2 in 2^-32."""
    return (s << 31) // wad.ONE


def _share(scaled: int, s: int, half: int) -> int:
    """The u above in 2^-108, from |ln(F/K)| · 2^32 (wad), s (wad) and s/2 in 2^-32; 0 for s = 0."""
    h = scaled // s if s else 0
    y = h - half if h >= half else half - h
    if y >= _TAIL:
        return 0 if h >= half else _ONE
    w = y * y * _HALF_LOG2_E >> 128
    f = w & _FRACTION
    r = _E0 - f * (_E1 - f * (_E2 - f * (_E3 - f * (_E4 - f * (_E5 - f * (_E6 - f * _E7))))))
    density = r >> (192 + (w >> 32))
    near = (((((_P5 * y + _P4) * y + _P3) * y + _P2) * y + _P1) * y + _P0) // (
        (((((y + _Q5) * y + _Q4) * y + _Q3) * y + _Q2) * y + _Q1) * y + _Q0
    )
    z = h + half
    far = (((((_P5 * z + _P4) * z + _P3) * z + _P2) * z + _P1) * z + _P0) // (
        (((((z + _Q5) * z + _Q4) * z + _Q3) * z + _Q2) * z + _Q1) * z + _Q0
    )
    if h >= half:
        return density * (near - far)
    return _ONE - density * (near + far)

"""Hashes of 64 bits: the one mix of the library, and numbers for texts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

UInt = NDArray[np.uint64]

#: 2**64 over the golden ratio, odd: its multiples spread evenly over all 64-bit
#: numbers, so that consecutive inputs differ in every bit (Steele et al. 2014).
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
#: The multipliers of SplitMix64's finaliser ("variant 13", found by search for the
#: best avalanche; Stafford 2011).
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1


def scramble(values: UInt) -> UInt:
    """Return 64-bit numbers in which every bit depends on every bit of the input.

    Parameters
    ----------
    values : ndarray of uint64
        Numbers; distinct ones stay distinct, and 0 stays 0.

    Returns
    -------
    numbers : ndarray of uint64
        The finaliser of SplitMix64 of each.

    References
    ----------
    Steele, G. L., Lea, D., Flood, C. H. (2014). Fast splittable pseudorandom number
    generators. OOPSLA.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import scramble
    >>> scramble(np.array([0, 1, 2], np.uint64)).tolist()
    [0, 6238072747940578789, 15839785061582574730]
    """
    with np.errstate(over="ignore"):
        return _scramble_in_place(values + np.uint64(0))


def _scramble_in_place(z: UInt) -> UInt:
    """Return the scrambled numbers where they stood."""
    shifted = np.empty_like(z)  # an array also where the numbers are one
    z ^= np.right_shift(z, np.uint64(30), out=shifted)
    z *= _FIRST
    z ^= np.right_shift(z, np.uint64(27), out=shifted)
    z *= _SECOND
    z ^= np.right_shift(z, np.uint64(31), out=shifted)
    return z


def mix(values: UInt) -> UInt:
    """Return one step of SplitMix64 from each number: `scramble` of the next state.

    Parameters
    ----------
    values : ndarray of uint64
        Numbers, such as ids.

    Returns
    -------
    numbers : ndarray of uint64
        Numbers to use as ids; distinct where the input is distinct.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import mix
    >>> int(mix(np.array([0], np.uint64))[0]) == 0xE220A8397B1DCDAF
    True
    """
    with np.errstate(over="ignore"):
        return _scramble_in_place(values + GOLDEN)


def mix_one(value: int) -> int:
    """Return `mix` of a single number in plain integers.

    Parameters
    ----------
    value : int
        A number; only its lowest 64 bits count.

    Returns
    -------
    number : int
        What `mix` gives: an array operation on one number costs more than this.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import mix, mix_one
    >>> mix_one(7) == int(mix(np.array([7], np.uint64))[0])
    True
    """
    z = (value + int(GOLDEN)) & _MASK
    z = ((z ^ (z >> 30)) * int(_FIRST)) & _MASK
    z = ((z ^ (z >> 27)) * int(_SECOND)) & _MASK
    return z ^ (z >> 31)


def text_id(value: Any) -> int:
    """Return `text_ids` of a single text as a plain integer.

    Parameters
    ----------
    value : object
        A text; anything else counts as its `str`.

    Returns
    -------
    number : int
        What `text_ids` gives: an array of one text costs more than this.

    Examples
    --------
    >>> from smartrisk.items import text_id, text_ids
    >>> text_id("BR") == int(text_ids(["BR"])[0])
    True
    """
    digest = blake2b(str(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def text_ids(values: ArrayLike | Sequence[Any]) -> UInt:
    """Return a 64-bit number for each text.

    Parameters
    ----------
    values : array-like of object, shape (n_values,)
        Texts; anything else counts as its `str`.

    Returns
    -------
    ids : ndarray of uint64, shape (n_values,)
        The first 64 bits of a BLAKE2b digest: the same on every machine.

    Examples
    --------
    >>> from smartrisk.items import text_ids
    >>> bool(text_ids(["BR"])[0] == text_ids(["VN", "BR"])[1])
    True
    """
    texts = np.asarray(values, dtype=object)  # Arrow text is slow to iterate over
    fresh = blake2b(digest_size=8)
    digests = []
    for value in texts:
        state = fresh.copy()  # half the time of setting up another
        state.update(str(value).encode())
        digests.append(state.digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)

from __future__ import annotations

import numpy as np

from avatar.head.turns import turned


def test_a_rotation_goes_where_the_controls_say() -> None:
    nose = np.array([0.0, 0.0, 1.0])
    assert (turned(0.2, 0, 0) @ nose)[0] > 0.1
    assert (turned(0, 0.2, 0) @ nose)[1] > 0.1
    assert (turned(0, 0, 0.2) @ [0.0, 1.0, 0.0])[0] > 0.1

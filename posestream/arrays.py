"""Array types used throughout. Shapes stand in comments beside the fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
Image = NDArray[np.uint8]

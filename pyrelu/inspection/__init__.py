"""Inspection of fitted networks: dead and saturated units, gradients, the linear map around a point.

All functions compute in float64, block by block of rows, and accept sparse X. Dropout is off, as in prediction. Layers
are numbered from 0, as in `coefs_`.
"""

from pyrelu.inspection._gradients import gradient_norms
from pyrelu.inspection._linear_map import LinearMap, local_linear_map
from pyrelu.inspection._repeated import Repeated, repeated
from pyrelu.inspection._report import LayerRecord, LayerReport, layer_report
from pyrelu.inspection._units import ActivityRecorder, dead_units, unit_activity

__all__ = [
    "ActivityRecorder",
    "LayerRecord",
    "LayerReport",
    "LinearMap",
    "Repeated",
    "dead_units",
    "gradient_norms",
    "layer_report",
    "local_linear_map",
    "repeated",
    "unit_activity",
]

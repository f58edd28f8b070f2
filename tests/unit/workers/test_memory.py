import ctypes

from workers.memory import hold_little


def test_a_c_library_that_has_limits_takes_them() -> None:
    assert hold_little() is hasattr(ctypes.CDLL(None), "mallopt")

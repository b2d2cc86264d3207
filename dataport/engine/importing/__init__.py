"""Files in: where a file belongs, whether it is known, what its rows would do, and doing it."""

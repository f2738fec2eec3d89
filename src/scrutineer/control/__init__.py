"""The control room: the state of the night for officers, and what they sign together. A service of its own beside the intake."""

"""Painted widgets: each paints a frozen record and holds no logic."""

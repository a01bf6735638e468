"""A context and a renderer for the tests that draw, or a skip that says why."""

import pytest

from hrn_studio.face.model import load_head


@pytest.fixture(scope="session")
def head_model():
    return load_head()


@pytest.fixture(scope="module")
def renderer():
    context_module = pytest.importorskip("hrn_studio.render.context")
    from hrn_studio.render.renderer import Renderer

    try:
        context = context_module.standalone_context()
    except context_module.NoOpenGLError as error:
        pytest.skip(str(error))
    result = Renderer(context)
    yield result
    assert context.error == "GL_NO_ERROR"
    del result
    context.gc()
    context.release()

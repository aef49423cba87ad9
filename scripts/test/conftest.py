import pytest

from jupyter_session import register_kernels


@pytest.fixture(scope='session', autouse=True)
def kernels():
    folder = register_kernels()
    yield
    folder.cleanup()

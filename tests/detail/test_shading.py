import numpy as np
import pytest
import torch

from hrn_studio.detail.shading import linear_from_srgb, sh_basis, shade, srgb_from_linear


def directions(count=20000):
    """Evenly spread over the sphere (Fibonacci)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


def test_the_basis_is_orthonormal_over_the_sphere():
    basis = sh_basis(directions())
    gram = 4 * np.pi * basis.T @ basis / len(basis)
    np.testing.assert_allclose(gram, np.eye(9), atol=1e-3)


def test_even_light_makes_a_white_surface_as_bright_as_itself():
    light = np.zeros((9, 3))
    light[0] = np.array([0.2, 0.5, 0.9]) / 0.282095
    np.testing.assert_allclose(shade(directions(50), light), [[0.2, 0.5, 0.9]] * 50, rtol=1e-5)


def test_a_smooth_sky_gives_the_irradiance_of_its_integral():
    around = directions()
    radiance = sh_basis(around) @ np.arange(1, 10) / 20
    light = 4 * np.pi * sh_basis(around).T @ radiance[:, None] / len(around)
    normals = directions(30)
    cosine = np.maximum(normals @ around.T, 0)
    expected = 4 * np.pi * (cosine @ radiance) / len(around) / np.pi
    np.testing.assert_allclose(shade(normals, light)[:, 0], expected, atol=2e-3)


def test_numpy_and_torch_are_one_formula():
    normals, light = directions(40), np.random.default_rng(1).normal(size=(9, 3))
    ours = shade(normals, light)
    theirs = shade(torch.from_numpy(normals), torch.from_numpy(light))
    np.testing.assert_allclose(theirs, ours, atol=1e-12)
    assert torch.autograd.gradcheck(
        shade, (torch.from_numpy(normals[:3]), torch.from_numpy(light).requires_grad_())
    )


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_srgb_round_trips_and_meets_known_values(convert):
    values = convert(np.linspace(0, 1, 101))
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(values)), values, atol=1e-9)
    assert float(linear_from_srgb(convert(np.array([0.5])))[0]) == pytest.approx(0.214041, abs=1e-6)

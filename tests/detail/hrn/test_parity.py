"""Whether our networks, face model, maps, losses and crops are the official ones.

Tolerances: networks 1e-4, vertices 1e-5 decimetres, projection 1e-3 px, colour 1e-3, crops exact,
99.9 % of the texels of a texture within 1e-3.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import alignment, camera, hierarchy, landmarks, losses, masks, store
from hrn_studio.detail.hrn.dense import grid_triangles
from hrn_studio.detail.hrn.resnet import Parts
from hrn_studio.detail.hrn.retouch import blemished
from hrn_studio.detail.hrn.texels import sample_picture

NETWORK, VERTEX, PIXEL, COLOUR = 1e-4, 1e-5, 1e-3, 1e-3
COMPARED = {
    *("albedo_basis_small", "align", "de_retouch", "face_model", "forward_hrn", "high_net"),
    *("lmk106", "losses", "mid_net", "net_recon", "uv_stage"),
}


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=0, atol=tolerance)


def close_texels(ours, theirs):
    """A projection may fall on the other side of a pixel's edge, in one texel of a thousand."""
    far = np.abs(np.asarray(ours) - theirs) > COLOUR
    assert far.mean() < 1e-3


def tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def test_every_file_of_the_folder_is_compared(parity_dir):
    assert {file.stem for file in parity_dir.glob("*.npz")} == COMPARED


def test_the_regression_network(reference, networks):
    theirs = reference("net_recon")
    pooled = networks.regression.backbone(torch.from_numpy(theirs["image"]))
    close(pooled, theirs["pooled"], NETWORK)
    close(networks.regression.heads(pooled), theirs["coeffs"], NETWORK)


@pytest.mark.parametrize("name", ["mid_net", "high_net"])
def test_the_map_networks(reference, networks, name):
    theirs = reference(name)
    network = {"mid_net": networks.middle, "high_net": networks.high}[name]
    close(network(torch.from_numpy(theirs["x"])), theirs["y"], NETWORK)


def test_the_retouch_network(reference, networks):
    theirs = reference("de_retouch")
    texture = (torch.from_numpy(theirs["texture"]) + 1) / 2
    blend = networks.retouch.blend(texture)
    close(blend, theirs["blend_256"], NETWORK)
    close(blemished(torch.from_numpy(theirs["albedo"]), texture, blend), theirs["out"], COLOUR)


def test_the_landmark_network(reference, taken):
    theirs = reference("lmk106")
    network = store.load_landmarks(taken)
    points = network(landmarks.normalized(torch.from_numpy(theirs["crop_rgb"])))
    close(points, theirs["out01"], NETWORK)
    close(224 * points, theirs["out_px"], 224 * NETWORK)


def test_the_face_model(reference, canvas):
    theirs = reference("face_model")
    face, parts = canvas.face, Parts.split(torch.from_numpy(theirs["coeffs"]))
    close(face.mean, theirs["mean_shape_recentred"], VERTEX)
    placed = hierarchy.place(canvas, parts)
    close(placed.shape, theirs["shape"], VERTEX)
    close(placed.R.mT, theirs["rotation"], VERTEX)
    close(placed.world, theirs["transformed"], VERTEX)
    close(placed.camera, theirs["camera"], VERTEX)
    close(placed.places, theirs["proj"], PIXEL)
    close(placed.places[:, face.landmarks], theirs["landmarks"], PIXEL)
    normals = face.normals(placed.shape)
    close(normals, theirs["normals"], 1e-4)
    close(normals @ placed.R.mT, theirs["normals_rotated"], 1e-4)
    albedo = face.albedo(parts.texture)
    close(albedo, theirs["albedo"], COLOUR)
    close(camera.lit(albedo, normals @ placed.R.mT, parts.light), theirs["sh_color"], COLOUR)
    np.testing.assert_array_equal(face.landmarks, theirs["keypoints0"])
    np.testing.assert_array_equal(face.triangles, theirs["tri0"])
    np.testing.assert_array_equal(face.around, theirs["point_buf0"])
    close(camera.clip_matrix(), theirs["ndc_proj"], 1e-6)


def test_the_maps_over_uv(reference, canvas):
    theirs = reference("uv_stage")
    given = tensors(theirs)
    parts = Parts.split(given["coeffs"])
    placed = hierarchy.place(canvas, parts)
    found = canvas.unwrap.triangle.numpy()[None]
    assert (found == theirs["uv_pix_to_face"]).mean() > 0.999
    close(placed.camera, theirs["camera"], VERTEX)
    close(placed.places[:, canvas.face.landmarks], theirs["landmarks"], PIXEL)
    close(canvas.unwrap(placed.shape), theirs["position_map"], VERTEX)
    texture = sample_picture(canvas.unwrap, placed.camera, given["image_hd"])
    close_texels(texture.permute(0, 2, 3, 1), theirs["texture_map"])
    valid = sample_picture(canvas.unwrap, placed.camera, given["face_mask"])
    close_texels(valid, theirs["valid_mask"])
    albedo = canvas.albedo(parts.texture)
    close(albedo, theirs["albedo_map"], COLOUR)
    normals = canvas.unwrap(canvas.face.normals(placed.shape) @ placed.R.mT)
    close(camera.lit_map(albedo, normals, parts.light), theirs["color_map"], COLOUR)


def test_the_small_albedo_is_the_large_one(reference, canvas):
    small = reference("albedo_basis_small")
    texture = torch.linspace(-1, 1, 80)[None]
    eighths = (small["base8"] @ texture[0].numpy() + small["mean8"]) / 255
    ours = canvas.albedo(texture)[0].permute(1, 2, 0)[16::32, 16::32]
    close(ours, eighths, COLOUR)


def test_the_hierarchy(reference, networks, canvas):
    theirs = reference("forward_hrn")
    given = tensors(theirs)
    close(networks.alpha, theirs["alpha"], 1e-7)
    close(networks.beta, theirs["beta"], 1e-7)
    parts, valid = Parts.split(given["coeffs"]), given["valid_mask"]
    base = hierarchy.place(canvas, parts)
    position_map = canvas.unwrap(base.shape)
    close(position_map, theirs["position_map"], VERTEX)
    texture = sample_picture(canvas.unwrap, base.camera, given["image_hd"])
    close_texels(texture.permute(0, 2, 3, 1), theirs["texture_map"])
    close_texels(
        sample_picture(canvas.unwrap, base.camera, given["face_mask"]), theirs["valid_mask"]
    )
    # The networks with their maps: the last digit of a vertex can bring its texel to another
    # pixel, and a network spreads that.
    texture = given["texture_map"].permute(0, 3, 1, 2)
    found = hierarchy.deform(networks, given["position_map"], texture, valid)
    close(found, theirs["deformation_map"], NETWORK)
    deformation = given["deformation_map"]
    placed = hierarchy.place(canvas, parts, deformation)
    close(placed.camera, theirs["pred_vertex"], VERTEX)
    close(placed.places, theirs["verts_proj"], PIXEL)
    close(placed.places[:, canvas.face.landmarks], theirs["pred_lm"], PIXEL)
    again = sample_picture(canvas.unwrap, given["pred_vertex"], given["image_hd"])
    displacement = hierarchy.displace(networks, position_map, again, deformation, valid)
    close(displacement, theirs["displacement_map"], NETWORK)
    albedo, displacement = given["de_retouched_albedo"], given["displacement_map"]
    layers = hierarchy.detail(canvas, placed, displacement, albedo, parts.light)
    close(layers.middle_colour, theirs["pred_color_mid"], COLOUR)
    close(layers.fine_colour, theirs["pred_color_high"], COLOUR)
    close(layers.positions.flatten(2).mT, theirs["dense_vertices"], VERTEX)
    np.testing.assert_array_equal(grid_triangles()[None], theirs["dense_faces"])
    close(masks.smoothed(valid), theirs["smooth_mask"], 1e-6)
    left, right = masks.outline(given["face_mask"])
    np.testing.assert_array_equal(left, theirs["left_points"])
    np.testing.assert_array_equal(right, theirs["right_points"])


def test_the_losses(reference):
    theirs = reference("losses")
    given = tensors(theirs)
    parts = Parts.split(given["coeffs"])
    edge = given["contour_verts"], given["contour_left"], given["contour_right"]
    ours = {
        "photo": losses.photo(given["imgA"], given["imgB"], given["mask"]),
        "landmark": losses.landmarks(given["lm_pred"], given["lm_gt"]),
        "reg": losses.coefficients(parts),
        "gamma": losses.grey_light(parts.light),
        "tv": losses.variation(given["tv_in"]),
        "tv_std": losses.variation_spread(given["tv_in"]),
        "contour": losses.contour(*edge),
    }
    for name, value in ours.items():
        np.testing.assert_allclose(float(value), theirs[name], rtol=1e-5, err_msg=name)
    assert int((losses.outside(*edge) > 0).sum()) == int(theirs["contour_n_outside"])


@pytest.mark.parametrize("side", [224, 512])
def test_the_crops(reference, taken, side):
    theirs = reference("align")
    standard = alignment.load_standard(taken / store.STANDARD)
    close(standard, theirs["lm3d_5"], 1e-6)
    t, s = alignment.pose(alignment.five_points(theirs["lm68_yup"]), standard)
    close(t, theirs["pos_t"], 1e-6)
    close(s, theirs["pos_s"], 1e-6)
    crop = alignment.align(theirs["image"], theirs["lm68_yup"], side, standard=standard)
    np.testing.assert_array_equal(crop.image, theirs[f"img_{side}"])
    close(crop.landmarks_px, theirs[f"lm_{side}"], PIXEL)
    width, height, scale, tx, ty = theirs[f"trans_{side}"]
    assert (width, height) == (640, 480)
    close([crop.scale, *t], [scale, tx, ty], 1e-6)

"""Every model the studio can use but cannot ship: its files, licence and source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One file as its authors publish it."""

    kind: str
    """Word for it, and what :mod:`.intake` reads it as."""
    what: str
    names: tuple[str, ...]
    """File names it is published under; the first is the usual one."""
    stored: tuple[str, ...]
    """Names of the files it becomes."""
    needed: bool = True
    """Whether a folder that is added must have it."""


@dataclass(frozen=True, slots=True)
class Use:
    """Something the studio can do when certain files are there."""

    name: str
    kinds: tuple[str, ...]
    """The items it needs; any of several is written ``a|b``."""


@dataclass(frozen=True, slots=True)
class Family:
    """A model with all its files."""

    name: str
    title: str
    licence: str
    source: str
    items: tuple[Item, ...]
    uses: tuple[Use, ...]

    def item(self, kind: str) -> Item:
        return next(item for item in self.items if item.kind == kind)


_CANVAS = ("face", "uv", "template", "albedo_basis", "albedo_mean")

HRN = Family(
    name="hrn",
    title="HRN, the official weights (Lei et al., CVPR 2023)",
    licence="code Apache-2.0; the Basel face model in it is for research only, after registration "
    "with the University of Basel",
    source="github.com/youngLBW/HRN (Google Drive), or modelscope.cn "
    "damo/cv_resnet50_face-reconstruction v2.0.0-HRN",
    items=(
        Item(
            "checkpoint",
            "regression, deformation and displacement networks",
            ("epoch_10.pth", "pytorch_model.pt", "epoch_20.pth", "epoch_latest.pth"),
            ("regression.safetensors", "middle.safetensors", "high.safetensors"),
        ),
        Item(
            "retouch",
            "de-retouching network",
            ("de-retouching.pth", "de_retouching_model.pth"),
            ("retouch.safetensors",),
        ),
        Item(
            "face",
            "Basel face model, front",
            ("BFM_model_front.mat",),
            ("BFM_model_front.mat",),
        ),
        Item("uv", "texture layout", ("bfm_uvs2.npy",), ("bfm_uvs2.npy",)),
        Item("template", "template mesh", ("template_bfm.obj",), ("template_bfm.obj",)),
        Item(
            "albedo_basis",
            "albedo components",
            ("bfm_texmap_base2.npy",),
            ("bfm_texmap_base2.npy",),
        ),
        Item("albedo_mean", "mean albedo", ("bfm_tex_mean2.npy",), ("bfm_tex_mean2.npy",)),
        Item(
            "standard",
            "standard face for the alignment (else the published numbers)",
            ("similarity_Lm3D_all.mat",),
            ("similarity_Lm3D_all.mat",),
            needed=False,
        ),
        Item(
            "landmarks",
            "106-point landmark network (else the studio's tracker)",
            ("large_base_net.pth",),
            ("landmarks.safetensors",),
            needed=False,
        ),
        Item(
            "detector",
            "RetinaFace face detector (else the studio's tracker)",
            ("retinaface_resnet50_2020-07-20_old_torch.pth",),
            ("detector.safetensors",),
            needed=False,
        ),
    ),
    uses=(
        Use("live regressor", ("regression", "face")),
        Use("--engine hrn", ("regression", "maps", "retouch", *_CANVAS)),
        Use("--engine hrn-mv", ("regression", "maps", "retouch", *_CANVAS)),
        Use("regression plus fitting", ("regression", *_CANVAS)),
        Use("hrn --faces hrn", ("detector", "landmarks")),
    ),
)

HRN_HEAD = Family(
    name="hrn-head",
    title="HRN's head variant, the official files",
    licence="code Apache-2.0; the Basel face model in it is for research only, after registration "
    "with the University of Basel",
    source="modelscope.cn damo/cv_HRN_head-reconstruction v0.1",
    items=(
        Item(
            "checkpoint",
            "regression network",
            ("pytorch_model.pt",),
            ("regression.safetensors",),
        ),
        *(
            Item(kind, what, (name,), (name.rpartition("/")[2],))
            for kind, what, name in (
                ("face", "Basel face model, front", "BFM_model_front.mat"),
                ("fitted", "model that is fitted", "ourRefineBFMEye0504_model.mat"),
                ("result", "model of the result", "ourRefineFull_model.mat"),
                ("template", "texture layout", "template_ourFull_bfmEyes.obj"),
                ("kept", "which vertices are fitted", "bfm_keep_inds.npy"),
                ("nose", "change of the nose", "our_full_bfmEyes/145_nose.obj"),
                ("neck", "change of the neck", "our_full_bfmEyes/146_neck.obj"),
                ("slim", "slimmer neck", "our_full_bfmEyes/147_neckSlim2.obj"),
                ("length", "longer neck", "our_full_bfmEyes/148_neckLength.obj"),
                ("bald", "texture around the face", "template_bald_tex_2.jpg"),
                ("face_mask", "where the texture is the face's", "face_mask_singleview.jpg"),
            )
        ),
        *(
            Item(kind, what, (name,), (name,), needed=False)
            for kind, what, name in (
                ("hair", "texture with hair", "template_withHair_tex.jpg"),
                ("cheeks", "where the cheeks are", "cheek_area_mask.png"),
                ("standard", "standard face for the alignment", "similarity_Lm3D_all.mat"),
            )
        ),
    ),
    uses=(
        Use(
            "hrn --method head",
            (
                *("checkpoint", "face", "fitted", "result", "template", "kept"),
                *("nose", "neck", "slim", "length", "bald", "face_mask"),
            ),
        ),
        Use("hrn --method head --hair", ("hair",)),
    ),
)
HEAD_MARK = "ourRefineFull_model.mat"
"""The file by which a download of the head variant is told: others have the names of HRN's."""

ICT = Family(
    name="ict",
    title="ICT-FaceKit, the light face model of the USC Institute for Creative Technologies",
    licence="MIT",
    source="github.com/USC-ICT/ICT-FaceKit (its folder FaceXModel)",
    items=(
        Item(
            "ict",
            "neutral mesh, identities and expressions",
            ("generic_neutral_mesh.obj",),
            ("ict.npz", "ict_landmarks.npz", "ict_places.npz"),
        ),
    ),
    uses=(Use("--head ict", ("ict",)),),
)

FLAME = Family(
    name="flame",
    title="FLAME 2020, 2023 or 2023 Open (Li et al., SIGGRAPH Asia 2017)",
    licence="2023 Open: CC-BY-4.0; the others: for research only; all after registration",
    source="flame.is.tue.mpg.de",
    items=(
        Item(
            "flame",
            "shape, expression, jaw, neck and eyes",
            (
                "flame2023_Open.pkl",
                "flame2023.pkl",
                "flame2023_no_jaw.pkl",
                "generic_model.pkl",
                "flame2023_Open.npz",
                "flame2023.npz",
                "generic_model.npz",
                "female_model.pkl",
                "male_model.pkl",
            ),
            ("flame.npz", "flame_landmarks.npz", "flame_places.npz"),
        ),
    ),
    uses=(Use("--head flame", ("flame",)),),
)

FAMILIES = (HRN, HRN_HEAD, ICT, FLAME)

STORED_AS = {
    "regression": ("regression.safetensors",),
    "maps": ("middle.safetensors", "high.safetensors"),
}
"""Parts of an item that a use may need alone."""


def family(name: str) -> Family | None:
    """The family of that name, if there is one."""
    return next((f for f in FAMILIES if f.name == name), None)

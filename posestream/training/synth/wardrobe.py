"""People drawn at random: body, skin, hair, clothes, ready to be sent to the renderer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool, Image
from posestream.training.synth import clothes, textures
from posestream.training.synth.accessories import headphones, spectacles
from posestream.training.synth.assets import (
    AssetFolder,
    Wavefront,
    parse_wavefront,
)
from posestream.training.synth.bodies import NUM_SKIN_VERTICES, Body, BodyFactory, express
from posestream.training.synth.cloth_cut import Cut, Places, cut_cloth, hidden_skin, places
from posestream.training.synth.figure import eye_mesh
from posestream.training.synth.person import (
    Kind,
    Person,
    Piece,
    make_piece,
    only,
    proxy_weights,
    strongest,
)
from posestream.training.synth.rig import build_rig

_WAIST: Final = 0.12  # of a suit: what lies higher is its upper part
_SKINS: Final = {
    0: ("young_lightskinned_male_diffuse", "young_lightskinned_male_diffuse2",
        "young_lightskinned_male_diffuse3", "young_darkskinned_male_diffuse",
        "middleage_darkskinned_male_diffuse", "middleage_lightskinned_male_diffuse",
        "middleage_lightskinned_male_diffuse2", "old_darkskinned_male_diffuse"),
    1: ("young_lightskinned_female_diffuse2", "young_lightskinned_female_diffuse3",
        "middleage_lightskinned_female_diffuse2", "young_darkskinned_male_diffuse"),
}  # fmt: skip
_SUITS: Final = {
    0: ("male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04",
        "male_casualsuit05", "male_casualsuit06", "male_elegantsuit01", "male_worksuit01"),
    1: ("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01",
        "female_sportsuit01"),
}  # fmt: skip
_HAIR: Final = {
    0: ("short01", "short02", "short03", "short04", "afro01", "short02", "short04", ""),
    1: ("bob02", "braid01", "bob02", "short01", "short03", "long01", "ponytail01", "bob01"),
}  # fmt: skip
_FACES: Final = ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "jawOpen", "eyeBlinkLeft",
                 "eyeBlinkRight", "mouthPucker", "browDownLeft", "browDownRight")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Wardrobe:
    """What people are made of; ``patches`` are cloth textures from photos, if allowed."""

    factory: BodyFactory
    assets: AssetFolder
    patches: Sequence[Image] = ()

    def person(self, rng: np.random.Generator) -> Person:
        """Somebody new, 1.0 to 2.1 m tall."""
        body, gender, child = self._body(rng)
        height = float(np.ptp(body.vertex_m[:NUM_SKIN_VERTICES, 1]))
        rig = build_rig(body)  # before a face is made: joints do not move with it
        amounts = {name: float(rng.beta(0.5, 2.0)) for name in rng.choice(_FACES, 3, False)}
        body = express(body, amounts)
        at = places(body)
        pieces: list[Piece] = []
        hidden = np.zeros(len(body.vertex_m), dtype=np.bool_)
        if rng.random() < (0.25 if child else 0.45):
            hidden |= self._suit(rng, body, at, gender, pieces)
        else:
            hidden |= self._separates(rng, body, at, gender, pieces)
        hidden |= self._shoes(rng, body, at, pieces)
        self._head(rng, body, gender, child, pieces)
        pieces.insert(0, self._skin(rng, body, hidden, gender))
        pieces = [piece for piece in pieces if len(piece.levels[0])]
        lowest = min(float(p.vertex[:, 1].min()) for p in pieces)
        return Person(rig, tuple(pieces), height, max(0.0, -lowest))

    def _body(self, rng: np.random.Generator) -> tuple[Body, int, bool]:
        child = rng.random() < 0.22
        while True:
            gender = int(rng.integers(2))
            values = {
                "gender": float(np.clip(gender + rng.normal(0.0, 0.12), 0.0, 1.0)),
                "age": rng.uniform(0.22, 0.5) if child else rng.uniform(0.55, 1.0),
                "muscle": float(np.clip(rng.normal(0.5, 0.2), 0.0, 1.0)),
                "weight": float(np.clip(rng.normal(0.5, 0.24), 0.0, 1.0)),
                "height": float(np.clip(rng.normal(0.4, 0.16), 0.0, 1.0)),
                "proportions": float(np.clip(rng.normal(0.5, 0.25), 0.0, 1.0)),
            }
            body = self.factory.make(**values)
            tall = float(np.ptp(body.vertex_m[:NUM_SKIN_VERTICES, 1]))
            if (1.0 if child else 1.42) <= tall <= (1.7 if child else 2.1):
                return body, gender, child

    def _skin(self, rng: np.random.Generator, body: Body, hidden: Bool, gender: int) -> Piece:
        name = str(rng.choice(_SKINS[gender]))
        darken = rng.random() < 0.3 and "dark" not in name
        tone = rng.uniform(0.45, 0.8) if darken else rng.uniform(0.88, 1.12)
        tint = tone * np.array([1.04, 1.0, 0.96]) ** rng.normal(0.0, 1.0)
        texture = self.assets.texture(f"{name}.jpg").astype(np.float64)
        texture[..., :3] *= tint
        is_skin = (body.face < NUM_SKIN_VERTICES).all(axis=1)
        keep = is_skin & ~hidden[body.face].all(axis=1)
        return make_piece(
            "skin", body.vertex_m, strongest(body), body.face[keep], body.uv, body.face_uv[keep],
            np.clip(texture, 0, 255).astype(np.uint8), normal_face=body.face[is_skin],
        )  # fmt: skip

    def _suit(
        self, rng: np.random.Generator, body: Body, at: Places, gender: int, pieces: list[Piece]
    ) -> Bool:
        name = str(rng.choice(_SUITS[gender]))
        proxy, mesh = _proxy(self.assets, f"clothes/{name}/{name}")
        vertex, weight = clothes.fit(proxy, body.vertex_m), proxy_weights(proxy, body)
        upper = _upper_faces(vertex, mesh, body)
        known = (self.assets.root / "textures" / f"{name}_diffuse.jpg").is_file()
        own = known and rng.random() < 0.6
        for faces in (upper, ~upper):
            if own:
                picture, uv, face_uv = self.assets.texture(f"{name}_diffuse.jpg"), mesh.uv, None
            else:
                picture, uv, face_uv = self._cloth(rng), _flat_uv(rng, vertex), mesh.face[faces]
            pieces.append(
                make_piece("cloth", vertex, weight, mesh.face[faces], uv,
                       mesh.face_uv[faces] if face_uv is None else face_uv, picture, True)
            )  # fmt: skip
        hidden = np.zeros(len(body.vertex_m), dtype=np.bool_)
        hidden[proxy.hidden] = True
        return hidden

    def _separates(
        self, rng: np.random.Generator, body: Body, at: Places, gender: int, pieces: list[Piece]
    ) -> Bool:
        """A shirt and trousers, shorts or a skirt, or a dress."""
        sleeve = float(rng.choice([0.05, 0.35, 0.6, 0.9, 1.4, 1.95], p=[0.1, 0.12, 0.3, 0.08, 0.1, 0.3]))  # fmt: skip  # noqa: E501
        loose = float(rng.choice([0.004, 0.010, 0.020], p=[0.35, 0.4, 0.25]))
        hem = float(rng.uniform(-0.12, 0.16))
        top = Cut("top", arm=sleeve, low=hem, high=float(rng.uniform(0.93, 1.06)),
                  loose_m=loose + 0.004, flare_m=float(rng.uniform(0.0, 0.012)))  # fmt: skip
        length = float(rng.choice([0.35, 0.75, 1.05, 1.5, 1.92], p=[0.1, 0.15, 0.05, 0.1, 0.6]))
        bottom = Cut("bottom", leg=length, high=0.26, low=-9.0,
                     loose_m=float(rng.choice([0.005, 0.010, 0.018])),
                     flare_m=float(rng.uniform(0.0, 0.02)))  # fmt: skip
        cuts = [top, bottom]
        belly = Cut("belly", low=-0.06, high=top.high)
        hidden = hidden_skin(top, at) | hidden_skin(bottom, at) | hidden_skin(belly, at)
        dressed = gender == 1 and rng.random() < 0.3
        if dressed:
            skirt = Cut("skirt", "skirt", leg=float(rng.uniform(0.4, 1.7)), loose_m=0.012)
            shorts = Cut("shorts", leg=0.25, high=0.26)
            cuts = [top, skirt, shorts]
            hidden = hidden_skin(top, at) | hidden_skin(shorts, at) | hidden_skin(belly, at)
        first = self._cloth(rng)
        for cut in cuts:
            vertex, faces = cut_cloth(cut, body, at)
            same = dressed and cut.name == "skirt" and rng.random() < 0.6
            picture = first if cut is top or same else self._cloth(rng)
            pieces.append(
                make_piece("cloth", vertex, strongest(body), faces, _flat_uv(rng, vertex), faces,
                       picture, True)
            )  # fmt: skip
        return hidden

    def _shoes(self, rng: np.random.Generator, body: Body, at: Places, pieces: list[Piece]) -> Bool:
        hidden = np.zeros(len(body.vertex_m), dtype=np.bool_)
        kind = rng.random()
        if kind < 0.12:
            return hidden
        if kind < 0.25:
            sock = Cut("socks", leg=9.0, leg_from=float(rng.uniform(1.5, 1.85)), high=9.0,
                       loose_m=0.003)  # fmt: skip
            vertex, faces = cut_cloth(sock, body, at)
            pieces.append(make_piece("cloth", vertex, strongest(body), faces,
                                 _flat_uv(rng, vertex), faces, self._cloth(rng), True))  # fmt: skip
            return hidden
        name = f"shoes{int(rng.integers(1, 7)):02d}"
        proxy, mesh = _proxy(self.assets, f"clothes/{name}/{name}")
        vertex = clothes.fit(proxy, body.vertex_m)
        shaft = 0.14 * float(np.ptp(body.vertex_m[:NUM_SKIN_VERTICES, 1])) / 1.7
        keep = (vertex[mesh.face, 1] < shaft).any(axis=1)
        pieces.append(make_piece("cloth", vertex, proxy_weights(proxy, body), mesh.face[keep],
                             mesh.uv, mesh.face_uv[keep],
                             self.assets.texture(f"{name}_diffuse.jpg"), True))  # fmt: skip
        low = body.vertex_m[:, 1] < 0.8 * shaft
        hidden[proxy.hidden] = low[proxy.hidden]
        return hidden

    def _head(
        self, rng: np.random.Generator, body: Body, gender: int, child: bool, pieces: list[Piece]
    ) -> None:
        vertex, faces, uv, texture = eye_mesh(body)
        pieces.append(make_piece("eye", vertex, strongest(body), faces, uv, faces, texture))
        hair = str(rng.choice(_HAIR[gender]))
        tone = _hair_colour(rng, old=not child)
        if hair:
            file = f"{hair}_diffuse.webp"
            if (self.assets.root / "textures" / file).is_file():
                picture = self.assets.texture(file).astype(np.float64)
                grey = picture[..., :3].mean(axis=-1, keepdims=True)
                picture[..., :3] = tone * grey / max(float(grey.mean()), 1.0)
            else:
                strands = textures.smooth_noise(rng, 64, 2.0)[..., None] * 0.2 + 1.0
                picture = textures.opaque(tone * strands).astype(np.float64)
            self._proxy_piece(body, f"hair/{hair}/{hair}", "hair", picture, pieces)
        brow = f"eyebrows/eyebrow{int(rng.integers(1, 13)):03d}"
        plain = np.ones((4, 4, 1)) * np.append(0.8 * tone, 255.0)
        self._proxy_piece(body, f"{brow}/{brow.split('/')[1]}", "skin", plain, pieces)
        if hair and rng.random() < 0.05:
            felt = textures.opaque(np.ones((4, 4, 1)) * textures.random_colour(rng))
            self._proxy_piece(body, "clothes/fedora01/fedora", "cloth", felt, pieces)
        for make, share in ((headphones, 0.12), (spectacles, 0.2)):
            if rng.random() < share:
                xyz, quads = make(body)
                dark = textures.opaque(np.ones((4, 4, 1)) * rng.uniform(8, 70, 3))
                weight = only(body.bone("head"), len(xyz))
                pieces.append(
                    make_piece("cloth", xyz, weight, quads, xyz[:, :2], quads, dark, True)
                )

    def _proxy_piece(
        self, body: Body, name: str, kind: Kind, picture: F64 | Image, pieces: list[Piece]
    ) -> None:
        proxy, mesh = _proxy(self.assets, name)
        vertex = clothes.fit(proxy, body.vertex_m)
        pieces.append(
            make_piece(kind, vertex, proxy_weights(proxy, body), mesh.face, mesh.uv, mesh.face_uv,
                   np.clip(picture, 0, 255).astype(np.uint8))
        )  # fmt: skip

    def _cloth(self, rng: np.random.Generator) -> Image:
        if len(self.patches) and rng.random() < 0.5:
            return self.patches[int(rng.integers(len(self.patches)))]
        return textures.cloth(rng)


def _hair_colour(rng: np.random.Generator, old: bool) -> F64:
    base = np.array([[22, 18, 16], [48, 32, 22], [86, 58, 36], [150, 112, 66], [120, 52, 28],
                     [150, 146, 142], [215, 210, 205]], dtype=float)  # fmt: skip
    share = [0.3, 0.25, 0.17, 0.12, 0.05, 0.08, 0.03] if old else [0.3, 0.3, 0.2, 0.15, 0.05, 0, 0]
    return np.asarray(base[int(rng.choice(7, p=share))] * rng.uniform(0.8, 1.2))


def _flat_uv(rng: np.random.Generator, vertex_m: F64) -> F64:
    """Texture coordinates (V, 2) of a pattern that goes round the body."""
    x, y, z = vertex_m.T
    tile = float(np.exp(rng.uniform(np.log(0.08), np.log(0.45))))
    return np.asarray(np.stack([x + 0.8 * z, y - 0.3 * z], axis=-1) / tile)


def _upper_faces(vertex: F64, mesh: Wavefront, body: Body) -> Bool:
    """Which faces belong to connected parts whose middle is above the waist."""
    label = _components(mesh.face, len(vertex))
    hip, neck = body.head_m("upperleg01.L")[1], body.head_m("neck01")[1]
    middle = np.bincount(label, vertex[:, 1]) / np.maximum(np.bincount(label), 1)
    return np.asarray(middle[label[mesh.face[:, 0]]] > hip + _WAIST * (neck - hip))


def _components(face: I64, count: int) -> I64:
    """The least vertex that each vertex is joined to."""
    label = np.arange(count)
    while True:
        least = label[face].min(axis=1)
        new = label.copy()
        np.minimum.at(new, face.reshape(-1), np.repeat(least, face.shape[1]))
        new = new[new]
        if np.array_equal(new, label):
            return label
        label = new


@lru_cache(maxsize=64)
def _proxy(assets: AssetFolder, name: str) -> tuple[clothes.Proxy, Wavefront]:
    return clothes.parse_proxy(assets.text(f"{name}.mhclo")), parse_wavefront(
        assets.text(f"{name}.obj")
    )

"""The face mesh that MediaPipe's FaceMesh tracks: which of its 478 points is what.

Left and right are the subject's.  Groups that are loops or lines are in order, so that they can be
drawn; the left one of a pair is the mirror image of the right one, point by point.  The groups are
those of ``mediapipe.solutions.face_mesh_connections`` (Apache-2.0), whose "left" is the subject's
too.  :data:`MIRROR` was found from detections on pictures and their mirror images and agrees, point
for point, with the symmetry of MediaPipe's canonical face.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.records import AnyFloats, Ints, frozen

COUNT = 478
"""Landmarks: 468 of the face and five of each iris."""

_MIRROR = """
0 1 2 248 4 5 6 249 8 9 10 11 12 13 14 15 16 17 18 19 250 251 252 253
254 255 256 257 258 259 260 261 262 263 264 265 266 267 268 269 270 271 272 273 274 275 276 277
278 279 280 281 282 283 284 285 286 287 288 289 290 291 292 293 294 295 296 297 298 299 300 301
302 303 304 305 306 307 308 309 310 311 312 313 314 315 316 317 318 319 320 321 322 323 94 324
325 326 327 328 329 330 331 332 333 334 335 336 337 338 339 340 341 342 343 344 345 346 347 348
349 350 351 352 353 354 355 356 357 358 359 360 361 362 363 364 365 366 367 368 369 370 371 372
373 374 375 376 377 378 379 151 152 380 381 382 383 384 385 386 387 388 389 390 164 391 392 393
168 394 395 396 397 398 399 175 400 401 402 403 404 405 406 407 408 409 410 411 412 413 414 415
416 417 418 195 419 197 420 199 200 421 422 423 424 425 426 427 428 429 430 431 432 433 434 435
436 437 438 439 440 441 442 443 444 445 446 447 448 449 450 451 452 453 454 455 456 457 458 459
460 461 462 463 464 465 466 467 3 7 20 21 22 23 24 25 26 27 28 29 30 31 32 33
34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57
58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81
82 83 84 85 86 87 88 89 90 91 92 93 95 96 97 98 99 100 101 102 103 104 105 106
107 108 109 110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130
131 132 133 134 135 136 137 138 139 140 141 142 143 144 145 146 147 148 149 150 153 154 155 156
157 158 159 160 161 162 163 165 166 167 169 170 171 172 173 174 176 177 178 179 180 181 182 183
184 185 186 187 188 189 190 191 192 193 194 196 198 201 202 203 204 205 206 207 208 209 210 211
212 213 214 215 216 217 218 219 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235
236 237 238 239 240 241 242 243 244 245 246 247 473 476 475 474 477 468 471 470 469 472
"""
MIRROR: tuple[int, ...] = tuple(int(index) for index in _MIRROR.split())
"""MIRROR[i] is the landmark on the other side; the 28 of the middle are their own."""


def mirrored(group: tuple[int, ...]) -> tuple[int, ...]:
    """The same group on the other side of the face."""
    return tuple(MIRROR[i] for i in group)


RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
"""Lid margins: outer corner, upper lid, inner corner (at 8), lower lid."""
LEFT_EYE = mirrored(RIGHT_EYE)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
"""Lower edge from the temple to the nose, then back along the upper edge."""
LEFT_BROW = mirrored(RIGHT_BROW)
RIGHT_IRIS = (468, 469, 470, 471, 472)
"""Centre, then the rim towards the nose, top, towards the temple, bottom."""
LEFT_IRIS = mirrored(RIGHT_IRIS)
LIPS_OUTER = (
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
)
"""From the right corner along the upper lip to the left corner (at 10), back along the lower."""
LIPS_INNER = (
    *(78, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
)
OVAL = (
    *(10, 109, 67, 103, 54, 21, 162, 127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148),
    *(152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356, 389, 251, 284, 332, 297, 338),
)
"""From the middle of the forehead down the right side to the chin (at 18), and up the left."""
NOSE_RIDGE = (168, 6, 197, 195, 5, 4, 1)
NOSE_BASE = (48, 64, 98, 97, 2, 326, 327, 294, 278)
"""Under the nose, from wing to wing."""


def _pairs() -> Ints:
    right = [RIGHT_EYE, RIGHT_BROW, OVAL[1:18], NOSE_BASE[:4], LIPS_OUTER[:5], LIPS_INNER[:5]]
    pairs = [(i, MIRROR[i]) for group in right for i in group]
    return frozen(np.array(pairs), np.int32)


_PAIRS = _pairs()


def yaw_deg(points_px: AnyFloats, depth_px: AnyFloats) -> float:
    """How far a tracked face is turned, degrees; positive towards the subject's left.

    Parameters
    ----------
    points_px
        (478, 2), x right, y down.
    depth_px
        (478,) smaller is nearer.

    The mean direction from the right half's landmarks to their mirror images on the left is the
    head's left-right axis; seen from the front it lies in the picture's plane.
    """
    points = np.column_stack([points_px, depth_px])
    x, y, z = (points[_PAIRS[:, 1]] - points[_PAIRS[:, 0]]).mean(axis=0)
    return float(np.degrees(np.arctan2(z, np.copysign(np.hypot(x, y), x))))


def eye_openness(points_px: AnyFloats) -> tuple[float, float]:
    """How far the lids of the right and of the left eye are apart, against the eye's width.

    ``points_px`` is (478, 2 or more).  Open eyes give 0.15 to 0.28, laughing ones 0.1, closed ones
    0.04 to 0.06.
    """
    right, left = (_openness(points_px[list(eye), :2]) for eye in (RIGHT_EYE, LEFT_EYE))
    return right, left


def _openness(lids: AnyFloats) -> float:
    gaps = np.linalg.norm(lids[1:8] - lids[15:8:-1], axis=1)
    return float(gaps.mean() / np.linalg.norm(lids[0] - lids[8]))

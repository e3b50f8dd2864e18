"""The inner loops of a 3D head: posing, lighting, and a triangle rasteriser with four samples in a pixel.

They are plain functions on arrays, compiled by `compiled` with numba; nothing imports numba before that. All of
them run without Python's lock and allocate nothing. Helpers are in this file because numba's cache looks at the
file of the compiled function alone.
"""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from typing import Any, Final

import numpy as np

from avatar.errors import FaceMissing
from avatar.head.arrays import F32, F64, U8, Mesh, Scratch

_LIT: Final = 0
_GLOSSY: Final = 1
_TOON: Final = 2
_FLAT: Final = 3


def posed(mesh: Mesh, channels: F32, turn: F32, eye_turn: F32, shift: F32, jaw: float, out: Scratch) -> None:
    """Vertices, normals, lights and places on the screen for the channels' values.

    `turn` and `eye_turn` are (3, 3) rotations of the head about its pivot and of the eyes about theirs; `shift` is
    where the head goes after it.
    """
    positions, normals = out.positions, out.normals
    for v in range(positions.shape[0]):
        for a in range(3):
            positions[v, a] = mesh.positions[v, a]
            normals[v, a] = mesh.normals[v, a]
    bent = False
    for c in range(channels.shape[0]):
        value = channels[c]
        if value != 0.0 and mesh.starts[c] < mesh.starts[c + 1]:
            bent = True
            for m in range(mesh.starts[c], mesh.starts[c + 1]):
                v = mesh.moved[m]
                positions[v, 0] += value * mesh.moves[m, 0]
                positions[v, 1] += value * mesh.moves[m, 1]
                positions[v, 2] += value * mesh.moves[m, 2]
    if bent:
        _bend_normals(mesh, out)
    _turn_eyes(mesh, eye_turn, out)
    focal, distance, height = mesh.camera[0], mesh.camera[1], mesh.camera[2]
    for v in range(positions.shape[0]):
        follow = mesh.follow[v]
        x, y, z = positions[v, 0], positions[v, 1], positions[v, 2]
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        if follow > 0.0:
            px, py, pz = mesh.pivots[2, 0], mesh.pivots[2, 1], mesh.pivots[2, 2]
            dx, dy, dz = x - px, y - py, z - pz
            x += follow * (turn[0, 0] * dx + turn[0, 1] * dy + turn[0, 2] * dz - dx + shift[0])
            y += follow * (turn[1, 0] * dx + turn[1, 1] * dy + turn[1, 2] * dz - dy + shift[1])
            z += follow * (turn[2, 0] * dx + turn[2, 1] * dy + turn[2, 2] * dz - dz + shift[2])
            tx = turn[0, 0] * nx + turn[0, 1] * ny + turn[0, 2] * nz
            ty = turn[1, 0] * nx + turn[1, 1] * ny + turn[1, 2] * nz
            tz = turn[2, 0] * nx + turn[2, 1] * ny + turn[2, 2] * nz
            nx += follow * (tx - nx)
            ny += follow * (ty - ny)
            nz += follow * (tz - nz)
        normals[v, 0], normals[v, 1], normals[v, 2] = nx, ny, nz
        near = 1.0 / max(0.05, distance - z)
        out.screen[v, 0] = mesh.camera[3] + focal * x * near
        out.screen[v, 1] = mesh.camera[4] - focal * (y - height) * near
        out.screen[v, 2] = near
        _light(mesh, v, nx, ny, nz, -x * near, (height - y) * near, jaw, out.lights)


def _bend_normals(mesh: Mesh, out: Scratch) -> None:
    """The file's own normals, plus what bending did to those of the surface: so that authored ones stay."""
    welded, positions = out.welded, out.positions
    for i in range(mesh.live_vertices.shape[0]):
        w = mesh.weld[mesh.live_vertices[i]]
        welded[w, 0] = 0.0
        welded[w, 1] = 0.0
        welded[w, 2] = 0.0
    for i in range(mesh.live.shape[0]):
        t = mesh.live[i]
        a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
        ux, uy, uz = (
            positions[b, 0] - positions[a, 0],
            positions[b, 1] - positions[a, 1],
            positions[b, 2] - positions[a, 2],
        )
        vx, vy, vz = (
            positions[c, 0] - positions[a, 0],
            positions[c, 1] - positions[a, 1],
            positions[c, 2] - positions[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            w = mesh.weld[mesh.triangles[t, k]]
            welded[w, 0] += nx
            welded[w, 1] += ny
            welded[w, 2] += nz
    for i in range(mesh.live_vertices.shape[0]):
        v = mesh.live_vertices[i]
        w = mesh.weld[v]
        nx, ny, nz = welded[w, 0], welded[w, 1], welded[w, 2]
        length = math.sqrt(nx * nx + ny * ny + nz * nz)
        if length < 1e-20:
            continue
        nx = out.normals[v, 0] + nx / length - mesh.live_rest[v, 0]
        ny = out.normals[v, 1] + ny / length - mesh.live_rest[v, 1]
        nz = out.normals[v, 2] + nz / length - mesh.live_rest[v, 2]
        length = max(1e-6, math.sqrt(nx * nx + ny * ny + nz * nz))
        out.normals[v, 0] = nx / length
        out.normals[v, 1] = ny / length
        out.normals[v, 2] = nz / length


def _turn_eyes(mesh: Mesh, turn: F32, out: Scratch) -> None:
    for i in range(mesh.eyes.shape[0]):
        v = mesh.eyes[i]
        nx, ny, nz = out.normals[v, 0], out.normals[v, 1], out.normals[v, 2]
        for side in range(2):
            share = mesh.eye_share[i, side]
            if share > 0.0:
                dx = out.positions[v, 0] - mesh.pivots[side, 0]
                dy = out.positions[v, 1] - mesh.pivots[side, 1]
                dz = out.positions[v, 2] - mesh.pivots[side, 2]
                for a in range(3):
                    d = dx if a == 0 else (dy if a == 1 else dz)
                    n = nx if a == 0 else (ny if a == 1 else nz)
                    out.positions[v, a] += share * (turn[a, 0] * dx + turn[a, 1] * dy + turn[a, 2] * dz - d)
                    out.normals[v, a] += share * (turn[a, 0] * nx + turn[a, 1] * ny + turn[a, 2] * nz - n)


def _light(
    mesh: Mesh, v: int, nx: float, ny: float, nz: float, ex: float, ey: float, jaw: float, lights: F32
) -> None:
    """A warm key from the upper left, a cool fill from the right, a rim from behind and the sky; (ex, ey, 1) is
    roughly where the viewer is."""
    kind = mesh.kind[v]
    red, green, blue, shine = 1.0, 1.0, 1.0, 0.0
    sky = mesh.sky[v, 0] + jaw * (mesh.sky[v, 1] - mesh.sky[v, 0])
    key = -0.46 * nx + 0.52 * ny + 0.72 * nz
    sun = mesh.sun[v]
    if kind == _TOON:
        step = min(1.0, max(0.0, (key * 0.7 + 0.3 * sun - 0.05) / 0.35))
        step = step * step * (3.0 - 2.0 * step)
        red = mesh.shade[v, 0] + step * (1.0 - mesh.shade[v, 0])
        green = mesh.shade[v, 1] + step * (1.0 - mesh.shade[v, 1])
        blue = mesh.shade[v, 2] + step * (1.0 - mesh.shade[v, 2])
        dark = 0.45 + 0.55 * sky
        red, green, blue = red * dark, green * dark, blue * dark
    elif kind != _FLAT:
        up = 0.5 + 0.5 * ny
        fill = max(0.0, 0.70 * nx + 0.10 * ny + 0.70 * nz) * sky * 0.30
        # Light comes back out of skin where it turns away, red farthest.
        lit_red = max(0.0, (key + 0.26) / 1.26) * sun
        lit_green = max(0.0, (key + 0.14) / 1.14) * sun
        lit_blue = max(0.0, (key + 0.10) / 1.10) * sun
        length = math.sqrt(ex * ex + ey * ey + 1.0)
        facing = max(0.0, (nx * ex + ny * ey + nz) / length)
        edge = (1.0 - facing) * (1.0 - facing)
        rim = edge * (1.0 - facing) * max(0.0, 0.75 * nx + 0.45 * ny - 0.30 * nz) * 0.9 * sky
        red = (0.20 + 0.17 * up) * sky + 0.85 * fill + 0.98 * lit_red + rim
        green = (0.175 + 0.19 * up) * sky + 0.95 * fill + 0.92 * lit_green + rim
        blue = (0.17 + 0.22 * up) * sky + 1.10 * fill + 0.84 * lit_blue + rim
        hx, hy, hz = -0.46 + ex / length, 0.52 + ey / length, 0.72 + 1.0 / length
        half = max(0.0, (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz))
        gloss = mesh.gloss[v]
        shine = (0.03 + 0.10 * gloss) * half ** (8.0 + 40.0 * gloss) * sun * sky
    lights[v, 0] = red * mesh.base[v, 0]
    lights[v, 1] = green * mesh.base[v, 1]
    lights[v, 2] = blue * mesh.base[v, 2]
    lights[v, 3] = shine


def covered(mesh: Mesh, first: int, last: int, masked: bool, out: Scratch) -> None:
    """The triangles from `first` to `last` into `depth` and `ids`; `masked` ones ask their texture's alpha."""
    screen, depth, ids = out.screen, out.depth, out.ids
    height, width = depth.shape
    for t in range(first, last):
        if not _set_up(mesh, t, out):
            continue
        a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
        low = min(screen[a, 1], screen[b, 1], screen[c, 1])
        high = max(screen[a, 1], screen[b, 1], screen[c, 1])
        left = min(screen[a, 0], screen[b, 0], screen[c, 0])
        right = max(screen[a, 0], screen[b, 0], screen[c, 0])
        if high < 0.0 or low > height or right < 0.0 or left > width:
            continue
        b1x, b1y, b1c = out.setup[t, 0], out.setup[t, 1], out.setup[t, 2]
        b2x, b2y, b2c = out.setup[t, 3], out.setup[t, 4], out.setup[t, 5]
        near, near1, near2 = screen[a, 2], screen[b, 2] - screen[a, 2], screen[c, 2] - screen[a, 2]
        step = near1 * b1x + near2 * b2x
        b0x = -b1x - b2x
        r0 = 1.0 / b0x if abs(b0x) > 1e-12 else 0.0
        r1 = 1.0 / b1x if abs(b1x) > 1e-12 else 0.0
        r2 = 1.0 / b2x if abs(b2x) > 1e-12 else 0.0
        for row in range(max(0, math.ceil(low - 0.5)), min(height, math.floor(high - 0.5) + 1)):
            y = row + 0.5
            one, two = b1y * y + b1c, b2y * y + b2c
            zero = 1.0 - one - two
            start, stop = max(left, 0.0), min(right, float(width))
            if r0 > 0.0:
                start = max(start, -zero * r0)
            elif r0 < 0.0:
                stop = min(stop, -zero * r0)
            if r1 > 0.0:
                start = max(start, -one * r1)
            elif r1 < 0.0:
                stop = min(stop, -one * r1)
            if r2 > 0.0:
                start = max(start, -two * r2)
            elif r2 < 0.0:
                stop = min(stop, -two * r2)
            # A little over the edge, so that no sample on a shared edge is lost to rounding.
            begin = math.ceil(start - 0.501)
            end = min(width, math.floor(stop - 0.499) + 1)
            if begin < 0:
                begin = 0
            value = near + near1 * one + near2 * two + step * (begin + 0.5)
            for column in range(begin, end):
                if value > depth[row, column]:
                    if masked:
                        alpha = _alpha(mesh, t, column + 0.5, y, out)
                        if alpha < mesh.look[mesh.surface[t], 1]:
                            value += step
                            continue
                    depth[row, column] = value
                    ids[row, column] = t
                value += step


def _set_up(mesh: Mesh, t: int, out: Scratch) -> bool:
    """Whether the triangle faces the viewer, and its weights' coefficients."""
    screen, setup = out.screen, out.setup
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    x0, y0 = np.float64(screen[a, 0]), np.float64(screen[a, 1])
    ux, uy = np.float64(screen[b, 0]) - x0, np.float64(screen[b, 1]) - y0
    vx, vy = np.float64(screen[c, 0]) - x0, np.float64(screen[c, 1]) - y0
    area = ux * vy - vx * uy
    if abs(area) < 1e-7 or (area > 0.0 and mesh.double[t] == 0):
        return False
    scale = 1.0 / area
    setup[t, 0] = vy * scale
    setup[t, 1] = -vx * scale
    setup[t, 2] = (vx * y0 - vy * x0) * scale
    setup[t, 3] = -uy * scale
    setup[t, 4] = ux * scale
    setup[t, 5] = (uy * x0 - ux * y0) * scale
    return True


def _weights(setup: F64, t: int, x: float, y: float) -> tuple[float, float, float]:
    """Those of the three corners at a sample, which may lie a little beside the triangle."""
    one = max(0.0, setup[t, 0] * x + setup[t, 1] * y + setup[t, 2])
    two = max(0.0, setup[t, 3] * x + setup[t, 4] * y + setup[t, 5])
    total = one + two
    if total > 1.0:
        one /= total
        two /= total
    return 1.0 - one - two, one, two


def _alpha(mesh: Mesh, t: int, x: float, y: float, out: Scratch) -> float:
    zero, one, two = _weights(out.setup, t, x, y)
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    alpha = zero * mesh.base[a, 3] + one * mesh.base[b, 3] + two * mesh.base[c, 3]
    s = mesh.surface[t]
    width, height = mesh.texture[s, 1], mesh.texture[s, 2]
    if width == 0:
        return float(alpha)
    u = zero * mesh.uv[a, 0] + one * mesh.uv[b, 0] + two * mesh.uv[c, 0]
    v = zero * mesh.uv[a, 1] + one * mesh.uv[b, 1] + two * mesh.uv[c, 1]
    column = int((u - math.floor(u)) * width) % width
    row = int((v - math.floor(v)) * height) % height
    return float(alpha * mesh.texels[mesh.texture[s, 0] + (row * width + column) * 4 + 3] / 255.0)


def _shaded(mesh: Mesh, t: int, x: float, y: float, out: Scratch) -> tuple[float, float, float, float]:
    """The colour of a triangle at a sample, 0 to 255 as it is shown, and its alpha."""
    zero, one, two = _weights(out.setup, t, x, y)
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    lights = out.lights
    red = zero * lights[a, 0] + one * lights[b, 0] + two * lights[c, 0]
    green = zero * lights[a, 1] + one * lights[b, 1] + two * lights[c, 1]
    blue = zero * lights[a, 2] + one * lights[b, 2] + two * lights[c, 2]
    shine = zero * lights[a, 3] + one * lights[b, 3] + two * lights[c, 3]
    alpha = zero * mesh.base[a, 3] + one * mesh.base[b, 3] + two * mesh.base[c, 3]
    s = mesh.surface[t]
    kind = int(mesh.look[s, 0])
    width, height = mesh.texture[s, 1], mesh.texture[s, 2]
    if width > 0:
        u = zero * mesh.uv[a, 0] + one * mesh.uv[b, 0] + two * mesh.uv[c, 0]
        v = zero * mesh.uv[a, 1] + one * mesh.uv[b, 1] + two * mesh.uv[c, 1]
        u = (u - math.floor(u)) * width - 0.5
        v = (v - math.floor(v)) * height - 0.5
        column, row = math.floor(u), math.floor(v)
        fu, fv = u - column, v - row
        left = width - 1 if column < 0 else min(column, width - 1)
        right = 0 if column + 1 >= width else column + 1
        upper = height - 1 if row < 0 else min(row, height - 1)
        lower = 0 if row + 1 >= height else row + 1
        start = mesh.texture[s, 0]
        p, q = start + (upper * width + left) * 4, start + (upper * width + right) * 4
        r, w = start + (lower * width + left) * 4, start + (lower * width + right) * 4
        kp, kq, kr, kw = (1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv
        texels = mesh.texels
        scale = 1.0 / 255.0
        tone = (kp * texels[p] + kq * texels[q] + kr * texels[r] + kw * texels[w]) * scale
        red *= tone * tone
        tone = (kp * texels[p + 1] + kq * texels[q + 1] + kr * texels[r + 1] + kw * texels[w + 1]) * scale
        green *= tone * tone
        tone = (kp * texels[p + 2] + kq * texels[q + 2] + kr * texels[r + 2] + kw * texels[w + 2]) * scale
        blue *= tone * tone
        alpha *= (kp * texels[p + 3] + kq * texels[q + 3] + kr * texels[r + 3] + kw * texels[w + 3]) * scale
    if kind == _GLOSSY:
        n = out.normals
        nx = zero * n[a, 0] + one * n[b, 0] + two * n[c, 0]
        ny = zero * n[a, 1] + one * n[b, 1] + two * n[c, 1]
        nz = zero * n[a, 2] + one * n[b, 2] + two * n[c, 2]
        length = max(1e-6, math.sqrt(nx * nx + ny * ny + nz * nz))
        # Half way between the viewer and a window a little above the key, and one small lamp at the other side.
        window = max(0.0, (-0.22 * nx + 0.30 * ny + 0.928 * nz) / length)
        lamp = max(0.0, (0.28 * nx - 0.16 * ny + 0.946 * nz) / length)
        shine += 1.15 * window**160 + 0.12 * lamp**60
    red, green, blue = math.sqrt(red + shine), math.sqrt(green + shine), math.sqrt(blue + shine)
    if kind <= _GLOSSY:
        red, green, blue = _shoulder(red), _shoulder(green), _shoulder(blue)
    return min(255.0, red * 255.0), min(255.0, green * 255.0), min(255.0, blue * 255.0), alpha


def _shoulder(tone: float) -> float:
    """Highlights run out gently instead of being cut off."""
    if tone <= 0.75:
        return tone
    over = (tone - 0.75) * 4.0
    return 0.75 + 0.25 * over / (1.0 + 0.55 * over)


def resolved(mesh: Mesh, background: U8, out: Scratch) -> None:
    """The four samples of every pixel of the region into its colour."""
    depth, ids, rgb = out.depth, out.ids, out.rgb
    for row in range(rgb.shape[0]):
        for column in range(rgb.shape[1]):
            i, j = 2 * row, 2 * column
            d0, d1, d2, d3 = depth[i, j], depth[i, j + 1], depth[i + 1, j], depth[i + 1, j + 1]
            farthest = min(d0, d1, d2, d3)
            nearest = max(d0, d1, d2, d3)
            if nearest == 0.0:
                rgb[row, column, 0] = background[row, column, 0]
                rgb[row, column, 1] = background[row, column, 1]
                rgb[row, column, 2] = background[row, column, 2]
                continue
            if farthest > 0.0 and nearest - farthest < 0.0008:
                s = mesh.surface[ids[i, j]]
                others = (
                    mesh.surface[ids[i, j + 1]],
                    mesh.surface[ids[i + 1, j]],
                    mesh.surface[ids[i + 1, j + 1]],
                )
                if others == (s, s, s):
                    red, green, blue, _ = _shaded(mesh, ids[i, j], j + 1.0, i + 1.0, out)
                    rgb[row, column, 0] = int(red + 0.5)
                    rgb[row, column, 1] = int(green + 0.5)
                    rgb[row, column, 2] = int(blue + 0.5)
                    continue
            total_red, total_green, total_blue = 0.0, 0.0, 0.0
            last, red, green, blue = -2, 0.0, 0.0, 0.0
            for k in range(4):
                di, dj = i + k // 2, j + k % 2
                t = ids[di, dj] if depth[di, dj] > 0.0 else -1
                if t != last:
                    last = t
                    if t < 0:
                        red = float(background[row, column, 0])
                        green = float(background[row, column, 1])
                        blue = float(background[row, column, 2])
                    else:
                        red, green, blue, _ = _shaded(mesh, t, dj + 0.5, di + 0.5, out)
                total_red += red
                total_green += green
                total_blue += blue
            rgb[row, column, 0] = int(total_red * 0.25 + 0.5)
            rgb[row, column, 1] = int(total_green * 0.25 + 0.5)
            rgb[row, column, 2] = int(total_blue * 0.25 + 0.5)


def blended(mesh: Mesh, first: int, last: int, out: Scratch) -> None:
    """Lashes, glass and hair over what is there, back to front."""
    screen, depth, rgb, setup = out.screen, out.depth, out.rgb, out.setup
    for t in range(first, last):
        if not _set_up(mesh, t, out):
            continue
        a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
        left = max(0, int(min(screen[a, 0], screen[b, 0], screen[c, 0])) // 2)
        right = min(rgb.shape[1] - 1, int(max(screen[a, 0], screen[b, 0], screen[c, 0])) // 2)
        low = max(0, int(min(screen[a, 1], screen[b, 1], screen[c, 1])) // 2)
        high = min(rgb.shape[0] - 1, int(max(screen[a, 1], screen[b, 1], screen[c, 1])) // 2)
        for row in range(low, high + 1):
            for column in range(left, right + 1):
                count = 0
                for k in range(4):
                    i, j = 2 * row + k // 2, 2 * column + k % 2
                    one = setup[t, 0] * (j + 0.5) + setup[t, 1] * (i + 0.5) + setup[t, 2]
                    two = setup[t, 3] * (j + 0.5) + setup[t, 4] * (i + 0.5) + setup[t, 5]
                    if one >= 0.0 and two >= 0.0 and one + two <= 1.0:
                        zero = 1.0 - one - two
                        if zero * screen[a, 2] + one * screen[b, 2] + two * screen[c, 2] >= depth[i, j]:
                            count += 1
                if count:
                    red, green, blue, alpha = _shaded(mesh, t, 2 * column + 1.0, 2 * row + 1.0, out)
                    alpha *= 0.25 * count
                    rgb[row, column, 0] = int(rgb[row, column, 0] + alpha * (red - rgb[row, column, 0]) + 0.5)
                    rgb[row, column, 1] = int(rgb[row, column, 1] + alpha * (green - rgb[row, column, 1]) + 0.5)
                    rgb[row, column, 2] = int(rgb[row, column, 2] + alpha * (blue - rgb[row, column, 2]) + 0.5)


def to_i420(rgb: U8, y: U8, u: U8, v: U8) -> None:
    """Limited-range BT.601, into views of the region's planes; chroma is the mean of its four pixels."""
    for row in range(rgb.shape[0]):
        for column in range(rgb.shape[1]):
            red, green, blue = int(rgb[row, column, 0]), int(rgb[row, column, 1]), int(rgb[row, column, 2])
            y[row, column] = 16 + ((16829 * red + 33039 * green + 6416 * blue + 32768) >> 16)
    for row in range(rgb.shape[0] // 2):
        for column in range(rgb.shape[1] // 2):
            red = green = blue = 0
            for k in range(4):
                red += int(rgb[2 * row + k // 2, 2 * column + k % 2, 0])
                green += int(rgb[2 * row + k // 2, 2 * column + k % 2, 1])
                blue += int(rgb[2 * row + k // 2, 2 * column + k % 2, 2])
            u[row, column] = 128 + ((-9714 * red - 19071 * green + 28784 * blue + 131072) >> 18)
            v[row, column] = 128 + ((28784 * red - 24103 * green - 4681 * blue + 131072) >> 18)


_HELPERS: Final = (_bend_normals, _turn_eyes, _light, _set_up, _weights, _alpha, _shaded, _shoulder)
_lock = threading.Lock()
_made: dict[Path | None, Kernels] = {}


class Kernels:
    """The compiled functions."""

    def __init__(self, cache: Path | None) -> None:
        try:
            import numba
        except ImportError:
            raise FaceMissing("a 3D head is drawn with numba, which is not installed: pip install numba") from None

        # Numba would count references to every array at every call of a helper, which costs ten times the work
        # itself. Nothing in here makes an array, so there is nothing to count.
        for helper in _HELPERS:
            numba.extending.register_jitable(_nrt=False, forceinline=True)(helper)
        config: Any = numba.config
        njit: Any = numba.njit
        before = config.CACHE_DIR
        config.CACHE_DIR = str(cache or before)
        try:
            compiler = njit(nogil=True, _nrt=False, cache=cache is not None, error_model="numpy")
            self.posed: Any = compiler(posed)
            self.covered: Any = compiler(covered)
            self.resolved: Any = compiler(resolved)
            self.blended: Any = compiler(blended)
            self.to_i420: Any = compiler(to_i420)
        finally:
            config.CACHE_DIR = before


def compiled(cache: Path | None) -> Kernels:
    """The kernels of this process. What numba makes of them is kept in the folder `cache` for the next one; None
    keeps nothing."""
    with _lock:
        if cache not in _made:
            _made[cache] = Kernels(_writable(cache))
        return _made[cache]


def _writable(cache: Path | None) -> Path | None:
    """Numba refuses to compile at all for a folder it cannot write to; without one it only takes longer."""
    if cache is None:
        return None
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return cache if os.access(cache, os.W_OK) else None

"""PDFs written by hand, as bytes."""

import hashlib
import zlib

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def pdf(*contents: str, box=(200, 100), pages=(), images=(), password: str | None = None) -> bytes:
    """One page for each content stream.

    Args:
        contents: operators; `/Im0 Do` draws the first image, and so on.
        box: width and height of every page in points.
        pages: further entries of each page, such as "/Rotate 90".
        images: made with `image`.
        password: encrypts the file (RC4, 40 bits); the empty one is that which every program tries.
    """
    count = len(contents)
    names = " ".join(f"/Im{index} {3 + 2 * count + index} 0 R" for index in range(len(images)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{' '.join(f'{3 + 2 * i} 0 R' for i in range(count))}] >>".encode(),
    ]
    for index, content in enumerate(contents):
        more = pages[index] if pages else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {box[0]} {box[1]}] /Contents {4 + 2 * index} 0 R "
            f"/Resources << /XObject << {names} >> >> {more} >>".encode(),
            ("", content.encode()),
        ]
    return _file([*objects, *images], password)


def image(pixels, width: int | None = None, height: int | None = None) -> tuple[str, bytes]:
    """A gray image, uint8 (h, w); it may claim another size."""
    height, width = height or pixels.shape[0], width or pixels.shape[1]
    entries = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray"
    return f"{entries} /BitsPerComponent 8 /Filter /FlateDecode", zlib.compress(pixels.tobytes())


def nested_forms(depth: int, times: int) -> bytes:
    """A page that draws a form so many times, which draws another as often, and so on."""
    last = 4 + depth
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R "
        b"/Resources << /XObject << /F 5 0 R >> >> >>",
        ("", b"/F Do"),
    ]
    for number in range(5, last + 1):
        deeper = f"/Resources << /XObject << /F {number + 1} 0 R >> >>" if number < last else ""
        entries = f"/Type /XObject /Subtype /Form /BBox [0 0 200 100] {deeper}"
        objects.append((entries, b"/F Do " * times if number < last else b"20 20 50 50 re f"))
    return _file(objects, None)


def _file(objects, password: str | None) -> bytes:
    key, trailer = b"", ""
    if password is not None:
        key, owner, user = _keys(password)
        trailer = (
            f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}> >> /ID [<00> <00>]"
        )
    out = bytearray(b"%PDF-1.4\n")
    table = ["0000000000 65535 f "]
    for number, content in enumerate(objects, 1):
        if isinstance(content, tuple):
            entries, data = content
            if key:
                data = _rc4(_md5(key + number.to_bytes(3, "little") + b"\0\0")[:10], data)
            content = f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"
        table.append(f"{len(out):010d} 00000 n ")
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(table)}\n".encode() + "\n".join(table).encode()
    out += f"\ntrailer\n<< /Size {len(table)} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _keys(password: str) -> tuple[bytes, bytes, bytes]:
    """The key, and the entries O and U, after ISO 32000-1, algorithms 2, 3 and 4 of revision 2."""
    padded = (password.encode() + _PADDING)[:32]
    owner = _rc4(_md5((b"owner" + _PADDING)[:32])[:5], padded)
    key = _md5(padded + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + b"\0")[:5]
    return key, owner, _rc4(key, _PADDING)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)

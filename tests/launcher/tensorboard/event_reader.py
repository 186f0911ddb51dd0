"""Reads a run's TensorBoard event files as TensorBoard does: an implementation of its own, for tests.

Nothing here shares code or schema with convoy: framing, checksum and protobuf's wire format are
decoded by hand (https://protobuf.dev/programming-guides/encoding)."""

import glob
import struct


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    """The whole records of a file, and how many bytes a torn one leaves at the end."""
    data = open(path, "rb").read()
    found, at = [], 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        (crc,) = struct.unpack_from("<I", data, at + 8)
        assert crc == masked(data[at : at + 8]), f"{path}: checksum of the length at byte {at}"
        if at + 16 + length > len(data):
            break
        body = data[at + 12 : at + 12 + length]
        (crc,) = struct.unpack_from("<I", data, at + 12 + length)
        # A picture's checksum takes this reader seconds.
        assert len(body) > 20000 or crc == masked(body), f"{path}: checksum at byte {at}"
        found.append(body)
        at += 16 + length
    return found, len(data) - at


def fields(message):
    """{number: [value...]} of a protobuf message: int, float, or bytes."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        elif kind == 1:
            (value,) = struct.unpack_from("<d", message, at)
            at += 8
        elif kind == 2:
            length = varint()
            value = message[at : at + length]
            at += length
        elif kind == 5:
            (value,) = struct.unpack_from("<f", message, at)
            at += 4
        else:
            raise AssertionError(f"wire type {kind}")
        found.setdefault(key >> 3, []).append(value)
    return found


def one(message, number, default=None):
    return message.get(number, [default])[-1]


def hparam(value):
    value = fields(value)
    for number, convert in ((2, float), (3, lambda text: text.decode()), (4, bool)):
        if number in value:
            return convert(one(value, number))
    raise AssertionError(f"a hyper-parameter of another kind: {value}")


class Run:
    """What TensorBoard shows of the run in a directory."""

    def __init__(self, directory):
        self.scalars = {}  # tag: [(step, value)]
        self.images = {}  # tag: (width, height, PNG)
        self.hparams = None
        self.status = None
        self.torn_bytes = 0
        self.started = False
        self.files = sorted(glob.glob(f"{directory}/events.out.tfevents.*"))
        for path in self.files:
            self.read(path)

    def read(self, path):
        events, torn = records(path)
        self.torn_bytes += torn
        first = fields(events[0])
        assert one(first, 3) == b"brain.Event:2" and len(first) == 2, first
        for raw in events[1:]:
            event = fields(raw)
            assert 1.6e9 < one(event, 1) < 5e9, "wall_time"
            step = one(event, 2, 0)
            if 7 in event and one(fields(one(event, 7)), 1) == 1:
                self.start(step)
            for value in fields(one(event, 5, b"")).get(1, []):
                self.add(step, fields(value))

    def start(self, step):
        """The first START says nothing, later ones void what is not before them."""
        if self.started:
            for points in self.scalars.values():
                points[:] = [point for point in points if point[0] < step]
        self.started = True

    def add(self, step, value):
        tag = one(value, 1).decode()
        if 2 in value:
            self.scalars.setdefault(tag, []).append((step, one(value, 2)))
        elif 4 in value:
            image = fields(one(value, 4))
            assert one(image, 3) == 3, "colour space"
            self.images[tag] = (one(image, 2), one(image, 1), one(image, 4))
        else:
            self.add_hparams(tag, fields(one(value, 9)))

    def add_hparams(self, tag, metadata):
        plugin = fields(one(metadata, 1))
        assert one(plugin, 1) == b"hparams", plugin
        data = fields(one(plugin, 2))
        assert one(data, 1, 0) == 0, "version"
        if tag == "_hparams_/session_start_info" and self.hparams is None:
            entries = [fields(entry) for entry in fields(one(data, 3)).get(1, [])]
            self.hparams = {one(entry, 1).decode(): hparam(one(entry, 2)) for entry in entries}
        elif tag == "_hparams_/session_end_info" and self.status is None:
            self.status = one(fields(one(data, 4)), 1)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a page of metrics as Prometheus does, strictly enough for a test: a line
that is neither a comment nor a sample is an error."""
import re

SAMPLE = re.compile(
    r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})?'
    r' (\S+)(?: \S+)?$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


def key(name, **labels):
    """What a sample is known by."""
    return (name, tuple(sorted(labels.items())))


def show(sample):
    name, labels = sample
    return name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels) + "}" if labels else "")


def parse(text):
    """The samples of a page: key -> value."""
    samples = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = SAMPLE.match(line)
        if not match:
            raise ValueError(f"no sample: {line}")
        labels = {
            name: re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], value)
            for name, value in LABEL.findall(match[2] or "")
        }
        sample = key(match[1], **labels)
        if sample in samples:
            raise ValueError(f"twice: {line}")
        samples[sample] = float(match[3])
    return samples

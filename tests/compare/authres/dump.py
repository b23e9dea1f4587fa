#!/usr/bin/python3
"""As ar_dump, with python authres and all its extensions: a field per NUL in, a line of JSON out."""

import json
import re
import sys

import authres

features = authres.all_features()


def number(text):
    return None if text is None else int(text)


def dump(field):
    # Its documentation wants fields unfolded.
    field = re.sub(r'\r?\n(?=[ \t])', '', field)
    if not re.match(r'Authentication-Results:', field, re.I):
        # Only a value can be given to it when the field has another name.
        header = features.parse_value(field.partition(':')[2].lstrip())
    else:
        header = features.parse(field)
    # The word "none" behind a result is an object among the results that has nothing of a result.
    results = [r for r in header.results if hasattr(r, 'method')]
    return {
        'id': header.authserv_id, 'version': number(header.version), 'instance': 0,
        'results': [[r.method, number(r.version), r.result, r.reason,
                     [[p.type + '.' + p.name, p.value or ''] for p in r.properties]]
                    for r in results],
        'comments': [c for r in results
                     for c in [r.result_comment, r.reason_comment] +
                     [p.comment for p in r.properties] if c is not None],
    }


for raw in sys.stdin.buffer.read().split(b'\0')[:-1]:
    try:
        out = dump(raw.decode('utf-8', 'surrogateescape'))
    except authres.AuthResError as error:
        out = {'error': str(error)}
    except Exception as error:  # what its callers would not expect
        out = {'error': type(error).__name__ + ': ' + str(error), 'crash': True}
    print(json.dumps(out))

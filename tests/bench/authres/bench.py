#!/usr/bin/python3
"""As bench_ar, with python authres: bench.py FILE parse|format|build COUNT prints nanoseconds."""

import re
import sys
import time

import authres
from authres.dkim_b import DKIMAuthenticationResult
from authres.dmarc import DMARCAuthenticationResult

features = authres.all_features()
with open(sys.argv[1], encoding='ascii') as file:
    field = re.sub(r'\r?\n(?=[ \t])', '', file.read()).rstrip('\n')
parsed = features.parse(field)


def parse():
    features.parse(field)


def format():
    str(parsed)


def dkim(result, comment, d, s, b, reason=None, a=None):
    # Its constructor takes no header.s or header.a once the extension for header.b is on.
    made = DKIMAuthenticationResult(result=result, result_comment=comment, reason=reason,
                                    header_d=d, header_b=b)
    made.header_s = s
    if a is not None:
        made.header_a = a
    return made


def build():
    str(features.header(authserv_id='mx.example.org', results=[
        authres.SPFAuthenticationResult(result='pass', result_comment='203.0.113.41 is allowed',
                                        smtp_mailfrom='alice@example.com',
                                        smtp_helo='mail.example.com'),
        dkim('pass', '2048-bit key', 'example.com', '20240601', 'kXq1mD0f', a='rsa-sha256'),
        dkim('fail', '1024-bit key', 'lists.example.net', 's1', 'pY/3+aQk',
             reason='body hash did not verify'),
        DMARCAuthenticationResult(result='pass', result_comment='p=reject',
                                  header_from='example.com')]))


work, count = {'parse': parse, 'format': format, 'build': build}[sys.argv[2]], int(sys.argv[3])
start = time.process_time_ns()
for _ in range(count):
    work()
print('%.1f' % ((time.process_time_ns() - start) / count))

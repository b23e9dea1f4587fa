#!/usr/bin/perl
# As bench_ar, with Mail::AuthenticationResults: bench.pl FILE parse|format|build COUNT

use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);
use Mail::AuthenticationResults::Parser;

my ($path, $what, $count) = @ARGV;
open my $file, '<', $path or die "$path: $!\n";
my $field = do { local $/; <$file> };
my $parsed = Mail::AuthenticationResults::Parser->new()->parse($field);
my $class = 'Mail::AuthenticationResults::Header';

# A result from its parts: properties as pairs of name and value.
sub entry {
    my ($method, $result, $comment, @properties) = @_;
    my $entry = "${class}::Entry"->new()->set_key($method)->safe_set_value($result);
    $entry->add_child("${class}::Comment"->new()->safe_set_value($comment));
    while (my ($name, $value) = splice @properties, 0, 2) {
        $entry->add_child("${class}::SubEntry"->new()->set_key($name)->safe_set_value($value));
    }
    return $entry;
}

sub build {
    my $header = $class->new()->set_value("${class}::AuthServID"->new()->set_value('mx.example.org'));
    $header->add_child(entry('spf', 'pass', '203.0.113.41 is allowed',
            'smtp.mailfrom' => 'alice@example.com', 'smtp.helo' => 'mail.example.com'));
    $header->add_child(entry('dkim', 'pass', '2048-bit key', 'header.d' => 'example.com',
            'header.s' => '20240601', 'header.a' => 'rsa-sha256', 'header.b' => 'kXq1mD0f'));
    $header->add_child(entry('dkim', 'fail', '1024-bit key', 'reason' => 'body hash did not verify',
            'header.d' => 'lists.example.net', 'header.s' => 's1', 'header.b' => 'pY/3+aQk'));
    $header->add_child(entry('dmarc', 'pass', 'p=reject', 'header.from' => 'example.com'));
    return $header->as_string();
}

my %works = (
    parse => sub { Mail::AuthenticationResults::Parser->new()->parse($field) },
    format => sub { $parsed->as_string() },
    build => \&build,
);
my $work = $works{$what} or die "no such work: $what\n";
my $start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
$work->() for 1 .. $count;
printf "%.1f\n", (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $start) * 1e9 / $count;

#!/usr/bin/perl
# As ar_dump, with Mail::AuthenticationResults: a field per NUL in, a line of JSON out.

use strict;
use warnings;
use JSON;
use Mail::AuthenticationResults::Parser;

my $class = 'Mail::AuthenticationResults::Header::';

# The children of one kind.
sub of_kind {
    my ($node, $kind) = @_;
    return grep { ref $_ eq $class . $kind } @{ $node->children() };
}

sub version {
    my ($node) = @_;
    my ($version) = of_kind($node, 'Version');
    return defined $version ? 0 + $version->value() : undef;
}

sub comments {
    my ($node) = @_;
    return map { ref $_ eq $class . 'Comment' ? $_->value() : $_->can('children') ? comments($_) : () }
        @{ $node->_HAS_CHILDREN() ? $node->children() : [] };
}

sub result {
    my ($entry) = @_;
    my ($reason, @properties);
    for my $sub (of_kind($entry, 'SubEntry')) {
        # Reasons are properties without ptype to it; the first one is taken for what it is.
        if (!defined $reason && lc $sub->key() eq 'reason') {
            $reason = $sub->value();
        } else {
            push @properties, [ $sub->key(), $sub->value() ];
        }
    }
    return [ $entry->key(), version($entry), $entry->value(), $reason, \@properties ];
}

sub dump_field {
    my ($field) = @_;
    # Only the one name is removed by the parser.
    $field =~ s/^ARC-Authentication-Results://i;
    my $header = Mail::AuthenticationResults::Parser->new()->parse($field);
    my $id = $header->value();
    return {
        id => $id->value(),
        version => version($id),
        instance => 0,
        results => [ map { result($_) } of_kind($header, 'Entry') ],
        comments => [ comments($id), comments($header) ],
    };
}

my $json = JSON->new->utf8->canonical;
binmode STDIN;
local $/ = "\0";
while (my $field = <STDIN>) {
    chomp $field;
    utf8::decode($field);
    my $out = eval { dump_field($field) };
    if (!defined $out) {
        my $error = $@;
        $error =~ s/ at \S+ line \d+\.?\s*$//;
        $out = { error => $error };
    }
    print $json->encode($out), "\n";
}

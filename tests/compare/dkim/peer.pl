#!/usr/bin/perl
# Mail::DKIM as the comparison needs it. Reads requests, one per line, tabs between the words:
#
#     key NAME TEXT                               the TXT record of a name
#     sign IN OUT KEY DOMAIN SELECTOR CANON H     writes a DKIM-Signature field; H is name=number or name=+,...
#     verify IN                                   a result for each signature
#
# Prints one line for each of the latter two: "ok", "refused WHY", or the results with tabs between.

use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my %records;

# Answers from the records; never asks the network.
package Resolver {
    sub new { return bless {}, shift }
    sub errorstring { return 'NOERROR' }

    sub send {
        my ($self, $name, $type) = @_;
        my $packet = Net::DNS::Packet->new($name, $type);
        my $text = $records{$name};
        $packet->header->rcode(defined $text ? 'NOERROR' : 'NXDOMAIN');
        $packet->push(answer => Net::DNS::RR->new(name => $name, type => 'TXT', ttl => 60,
            txtdata => [ unpack '(a255)*', $text ])) if defined $text;
        return $packet;
    }
}

sub content {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/ = undef;
    return scalar <$file>;
}

sub sign {
    my ($in, $out, $key, $domain, $selector, $canon, $names) = @_;
    my $signer = Mail::DKIM::Signer->new(Algorithm => 'rsa-sha256', Method => $canon,
        Domain => $domain, Selector => $selector, KeyFile => $key);
    $signer->extended_headers({ map { split /=/ } split /,/, $names });
    $signer->PRINT(content($in));
    $signer->CLOSE();
    my $signature = $signer->signature() or die "no signature\n";
    open my $file, '>:raw', $out or die "$out: $!\n";
    # The field is made without its final line end, and as one line.
    print $file $signature->as_string(), "\r\n";
    close $file or die "$out: $!\n";
    return 'ok';
}

sub verify {
    my ($in) = @_;
    my $verifier = Mail::DKIM::Verifier->new();
    $verifier->PRINT(content($in));
    $verifier->CLOSE();
    return join "\t", map { $_->result_detail() } $verifier->signatures();
}

Mail::DKIM::DNS::resolver(Resolver->new());
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($what, @words) = split /\t/, $line;
    if ($what eq 'key') {
        $records{ $words[0] } = $words[1];
        next;
    }
    my $answer = eval { $what eq 'sign' ? sign(@words) : verify(@words) };
    if (!defined $answer) {
        ($answer = "refused $@") =~ s/\s+/ /g;
    }
    print $answer, "\n";
}

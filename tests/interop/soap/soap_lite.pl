# One call with SOAP::Lite, put together by hand; arguments, input and output as zeep_client.py's.
use strict;
use warnings;
use JSON::PP;
use SOAP::Lite;

my ($wsdl, $version, $operation, $action) = @ARGV;
my $namespace = 'urn:trunkline:sms:1';
binmode STDOUT;

sub words {
    local $/;
    binmode STDIN;
    my @words = split /\0/, <STDIN>, -1;
    pop @words;
    utf8::decode($_) for @words;
    return @words;
}

sub operations {
    my $schema = SOAP::Schema->schema_url($wsdl)->parse;
    my %found = map { $_ => 1 } map { keys %$_ } values %{$schema->services};
    return [sort keys %found];
}

# The module's own faultcode and faultstring know where they are in SOAP 1.1 alone.
sub fault {
    my ($answer) = @_;
    my @paths = $version eq '1.1' ? ('faultcode', 'faultstring') : ('Code/Value', 'Reason/Text');
    my ($code, $text) = map { $answer->valueof("/Envelope/Body/Fault/$_") } @paths;
    return {fault => $code, text => $text};
}

# A WS-Security UsernameToken, which the module knows as any other header.
sub token {
    my ($user, $password) = @_;
    my $place = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
    my @inside = (
        SOAP::Data->name('s:Username')->type('')->value($user),
        SOAP::Data->name('s:Password')->type('')->value($password),
    );
    my $token = SOAP::Data->name('s:UsernameToken')->value(\SOAP::Data->value(@inside));
    return SOAP::Header->name('s:Security')->attr({'xmlns:s' => $place})->value(\$token);
}

sub called {
    my @words = words();
    my (@values, %login);
    while (my ($name, $value) = splice @words, 0, 2) {
        if ($ENV{CREDENTIALS} ne 'elements' && $name =~ /^(?:user|password)$/) {
            $login{$name} = $value;
            next;
        }
        push @values, SOAP::Data->name($name)->type('string')->value($value);
    }
    my $soap = SOAP::Lite->soapversion($version)->encoding('utf-8')->proxy($wsdl =~ s/\?wsdl$//r);
    $soap->on_action(sub { qq("$namespace#$operation") });
    $soap->on_fault(sub { $_[1] });
    my @login = @login{'user', 'password'};
    push @values, token(@login) if $ENV{CREDENTIALS} eq 'token';
    $soap->transport->proxy->default_headers->authorization_basic(@login) if $ENV{CREDENTIALS} eq 'basic';
    # A call by hand has no action of a WSDL's: to provoke a Fault it asks for what does not exist.
    my $name = defined $action ? "un$operation" : $operation;
    my $answer = $soap->call(SOAP::Data->name($name)->attr({xmlns => $namespace}), @values);
    die 'no answer: ' . $soap->transport->status . "\n" unless ref $answer;
    return fault($answer) if $answer->fault;
    return $answer->result;
}

print JSON::PP->new->utf8->canonical->encode($operation eq 'operations' ? operations() : called()), "\n";

<?php
// One call with PHP's SoapClient, from the WSDL; arguments, input and output as zeep_client.py's.

[, $wsdl, $version, $operation] = $argv;

// Puts another action where the one of the WSDL is, which is all that the option `soapaction` is for without a WSDL.
class Client extends SoapClient
{
    public ?string $action = null;

    public function __doRequest($request, $location, $action, $version, $oneWay = false): ?string
    {
        return parent::__doRequest($request, $location, $this->action ?? $action, $version, $oneWay);
    }
}

const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';

$credentials = getenv('CREDENTIALS');
$words = explode("\0", stream_get_contents(STDIN));
$values = [];
for ($i = 0; $i + 1 < count($words); $i += 2) {
    $values[$words[$i]] = $words[$i + 1];
}
[$user, $password] = [$values['user'] ?? '', $values['password'] ?? ''];
if ($credentials !== 'elements') {
    unset($values['user'], $values['password']);
}
$client = new Client($wsdl, ($credentials === 'basic' ? ['login' => $user, 'password' => $password] : []) + [
    'soap_version' => $version === '1.1' ? SOAP_1_1 : SOAP_1_2,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
    'exceptions' => true,
]);
$client->action = $argv[4] ?? null;
if ($credentials === 'token') {
    // The class has no WS-Security of its own, and takes headers as XML.
    [$name, $secret] = array_map(fn ($text) => htmlspecialchars($text, ENT_XML1), [$user, $password]);
    $token = "<s:Security xmlns:s='" . WSSE . "'><s:UsernameToken><s:Username>$name</s:Username>"
        . "<s:Password>$secret</s:Password></s:UsernameToken></s:Security>";
    $client->__setSoapHeaders(new SoapHeader(WSSE, 'Security', new SoapVar($token, XSD_ANYXML), true));
}

// Numbers as texts, exactly as PHP holds them; what is null left out.
function plain($value)
{
    if (is_object($value)) {
        return (object) array_map('plain', array_filter(get_object_vars($value), fn ($member) => $member !== null));
    }
    return is_array($value) ? array_map('plain', $value) : (string) $value;
}

if ($operation === 'operations') {
    // Each is described as `sendsmsResponse sendsms(sendsms $parameters)`, once for each port.
    $names = array_map(fn ($line) => strtok(explode(' ', $line)[1], '('), $client->__getFunctions());
    $reply = array_values(array_unique($names));
} else {
    try {
        $given = $client->__soapCall($operation, [$values]);
        $reply = plain($given->{$operation . 'Result'});
    } catch (SoapFault $fault) {
        $reply = ['fault' => $fault->faultcode, 'text' => $fault->faultstring];
    }
}
echo json_encode($reply, JSON_THROW_ON_ERROR), "\n";

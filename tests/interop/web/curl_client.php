<?php
// One HTTP request with PHP's cURL; input and output as requests_client.py's.

$plan = json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR);
$challenge = '';
$handle = curl_init($plan['url']);
curl_setopt_array($handle, [
    CURLOPT_POSTFIELDS => http_build_query($plan['form']),
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_PROXY => '',
    CURLOPT_HEADERFUNCTION => function ($handle, $line) use (&$challenge) {
        if (stripos($line, 'WWW-Authenticate:') === 0) {
            $challenge = trim(substr($line, 17));
        }
        return strlen($line);
    },
]);
if (isset($plan['basic'])) {
    curl_setopt($handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_setopt($handle, CURLOPT_USERNAME, $plan['basic'][0]);
    curl_setopt($handle, CURLOPT_PASSWORD, $plan['basic'][1]);
}
if (isset($plan['bearer'])) {
    curl_setopt($handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_setopt($handle, CURLOPT_XOAUTH2_BEARER, $plan['bearer']);
}
$body = curl_exec($handle);
if ($body === false) {
    fwrite(STDERR, curl_error($handle));
    exit(1);
}
echo json_encode([
    'status' => curl_getinfo($handle, CURLINFO_RESPONSE_CODE),
    'challenge' => $challenge,
    'reply' => json_decode($body, true, 512, JSON_THROW_ON_ERROR),
], JSON_THROW_ON_ERROR), "\n";

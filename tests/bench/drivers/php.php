<?php

// Answers each line on stdin with a call of the extension for PHP.

$client = new Prebind\Client(
    getenv('PREBIND_URL'),
    ca: file_get_contents(getenv('PREBIND_CA')),
    deadline: 30,
    request_timeout: 30,
    fail_fast_after: 0,
);
$proof = [getenv('PREBIND_MECHANISM') === 'PLAIN' ? 'token' : 'password' => getenv('PREBIND_PASSWORD')];
while (fgets(STDIN) !== false) {
    $start = hrtime(true);
    try {
        $session = $client->prebind(getenv('PREBIND_JID'), ...$proof);
        $answer = [
            'seconds' => (hrtime(true) - $start) / 1e9,
            'round_trips' => $session->roundTrips,
            'sessions' => [[$session->sid, $session->rid]],
        ];
    } catch (Prebind\Exception $error) {
        $answer = ['errors' => [$error->getMessage()]];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
}

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
// The processor time of the process, in seconds.
$cpu = function (): float {
    $used = getrusage();
    return $used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec']
        + ($used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec']) / 1e6;
};
while (fgets(STDIN) !== false) {
    [$before, $start] = [$cpu(), hrtime(true)];
    try {
        $session = $client->prebind(getenv('PREBIND_JID'), ...$proof);
        $answer = [
            'seconds' => (hrtime(true) - $start) / 1e9,
            'cpu_seconds' => $cpu() - $before,
            'round_trips' => $session->roundTrips,
            'fallbacks' => (int) str_contains($client->profile(), 'classic_until'),
            'sessions' => [[$session->sid, $session->rid]],
        ];
    } catch (Prebind\Exception $error) {
        $answer = ['errors' => [$error->getMessage()]];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
}

<?php

// Many calls, half of which fail: memory and descriptors must not grow with them. From 1,000 on `faults growth` says
// whether they do.
//
//     servers prosody --no-limits -- php -d extension=FILE bindings/php/tests/soak.php [CALLS]

declare(strict_types=1);

require __DIR__ . '/growth.php';

function fails(Prebind\Client $client, string $jid, string $password): void
{
    try {
        $client->prebind($jid, $password);
    } catch (Prebind\Exception) {
        return;
    }
    throw new LogicException("$jid succeeded");
}

$share = intdiv((int) ($argv[1] ?? 10_000), SHARES);
$prosody = json_decode((string) getenv('PREBIND_SERVERS'), true)['prosody'];
// Under valgrind and on a busy machine, what takes a millisecond takes seconds.
$client = new Prebind\Client($prosody['https_url'], ca: file_get_contents($prosody['ca_pem']), fail_fast_after: 0, deadline: 300, connect_timeout: 300, request_timeout: 300);
$unreachable = new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
$login = static fn () => $client->terminate($client->prebind('alice@localhost', token: $prosody['accounts']['alice']));
$ways = [
    $login,
    static fn () => fails($client, 'alice@localhost', 'wrong'),
    $login,
    static fn () => fails($unreachable, 'alice@localhost', 'wrong'),
    $login,
    static fn () => fails($client, 'alice@nowhere.local', 'wrong'),
];
$states = [];
for ($call = 0; $call < SHARES * $share; $call++) {
    $ways[$call % count($ways)]();
    if (($call + 1) % $share === 0) {
        $states[] = state();
        echo json_encode(end($states)), "\n";
    }
}
// So few say nothing about memory, but valgrind has seen what each did with it.
exit($share < 100 || !grows($states, $share) ? 0 : 1);

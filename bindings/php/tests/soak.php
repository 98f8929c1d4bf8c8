<?php

// Many calls, half of which fail: memory and descriptors must not grow. From 1,000 on it is measured.
//
//     servers prosody --no-limits -- php -d extension=FILE bindings/php/tests/soak.php [CALLS]

declare(strict_types=1);

/** What memory may differ by from the second fifth of the calls to the last, in KiB. */
const SLACK = 3000;

/** As many as a client keeps connections, and twice that. */
const FILES = 64;

/** @return array{int, int} resident memory in KiB, open files */
function state(): array
{
    preg_match('/^VmRSS:\s*(\d+)/m', (string) file_get_contents('/proc/self/status'), $match);
    return [(int) $match[1], count((array) scandir('/proc/self/fd'))];
}

function fails(Prebind\Client $client, string $jid, string $password): void
{
    try {
        $client->prebind($jid, $password);
    } catch (Prebind\Exception) {
        return;
    }
    throw new LogicException("$jid succeeded");
}

$calls = (int) ($argv[1] ?? 10_000);
$prosody = json_decode((string) getenv('PREBIND_SERVERS'), true)['prosody'];
$client = new Prebind\Client($prosody['https_url'], ca: file_get_contents($prosody['ca_pem']), fail_fast_after: 0, deadline: 30);
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
for ($call = 0; $call < $calls; $call++) {
    $ways[$call % count($ways)]();
    if (($call + 1) % intdiv($calls, 5) === 0) {
        [$memory, $files] = $states[] = state();
        echo "$memory KiB, $files files\n";
    }
}
// So few say nothing about memory, but valgrind has seen what each did with it.
exit($calls < 1000 || $states[4][0] - $states[1][0] < SLACK && max(array_column($states, 1)) < FILES ? 0 : 1);

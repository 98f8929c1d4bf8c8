<?php

// Many requests to one worker of php-fpm, half of which fail: its memory and descriptors must not grow with them.
//
//     PREBIND_EXTENSION=FILE servers prosody --no-limits -- php bindings/php/tests/requests.php [REQUESTS]
//
// `faults growth` says whether they do.

declare(strict_types=1);

require __DIR__ . '/Fpm.php';
require __DIR__ . '/growth.php';

const CODE = <<<'PHP'
    $client = new Prebind\Client(%s, fail_fast_after: 0, deadline: 300, connect_timeout: 300, request_timeout: 300);
    try {
        $client->terminate($client->prebind('alice@localhost', token: %s));
        $failed = false;
    } catch (Prebind\AuthException) {
        $failed = true;
    }
    echo json_encode([$failed, state(), getmypid()]);
    PHP;

$share = intdiv((int) ($argv[1] ?? 2000), SHARES);
$prosody = json_decode((string) getenv('PREBIND_SERVERS'), true)['prosody'];
$url = var_export($prosody['http_url'], true);
$passwords = [var_export($prosody['accounts']['alice'], true), '"wrong"'];
$codes = array_map(static fn ($password) => sprintf("require_once '%s/growth.php';" . CODE, __DIR__, $url, $password), $passwords);
$fpm = new Fpm(1);
[$states, $workers] = [[], []];
for ($request = 0; $request < SHARES * $share; $request++) {
    [[$failed, $state, $worker]] = $fpm->answers($codes[$request % 2]);
    if ($failed !== ($request % 2 === 1)) {
        throw new LogicException("request $request " . ($failed ? 'failed' : 'succeeded'));
    }
    $workers[$worker] = true;
    if (($request + 1) % $share === 0) {
        $states[] = $state;
        echo json_encode($state), "\n";
    }
}
exit(count($workers) === 1 && !grows($states, $share) ? 0 : 1);

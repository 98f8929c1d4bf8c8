<?php

// Many requests to one worker of php-fpm, half of which fail: its memory and descriptors must not grow.
//
//     PREBIND_EXTENSION=FILE servers prosody --no-limits -- php bindings/php/tests/requests.php [REQUESTS]

declare(strict_types=1);

require __DIR__ . '/Fpm.php';

/** What memory may differ by from the second fifth of the requests to the last, in KiB. */
const SLACK = 1000;

/** What descriptors may: connections that are opened again. */
const FILES = 2;

const CODE = <<<'PHP'
    $client = new Prebind\Client(%s, fail_fast_after: 0, deadline: 30);
    try {
        $client->terminate($client->prebind('alice@localhost', token: %s));
        $failed = false;
    } catch (Prebind\AuthException) {
        $failed = true;
    }
    preg_match('/^VmRSS:\s*(\d+)/m', file_get_contents('/proc/self/status'), $match);
    echo json_encode([$failed, (int) $match[1], count(scandir('/proc/self/fd')), getmypid()]);
    PHP;

$requests = (int) ($argv[1] ?? 2000);
$prosody = json_decode((string) getenv('PREBIND_SERVERS'), true)['prosody'];
$url = var_export($prosody['http_url'], true);
$codes = [sprintf(CODE, $url, var_export($prosody['accounts']['alice'], true)), sprintf(CODE, $url, '"wrong"')];
$fpm = new Fpm(1);
[$states, $workers] = [[], []];
for ($request = 0; $request < $requests; $request++) {
    [[$failed, $memory, $files, $worker]] = $fpm->answers($codes[$request % 2]);
    if ($failed !== ($request % 2 === 1)) {
        throw new LogicException("request $request " . ($failed ? 'failed' : 'succeeded'));
    }
    $workers[$worker] = true;
    if (($request + 1) % intdiv($requests, 5) === 0) {
        $states[] = [$memory, $files];
        echo "$memory KiB, $files files\n";
    }
}
[, [$memory, $files], , , [$lastMemory, $lastFiles]] = $states;
exit(count($workers) === 1 && $lastMemory - $memory < SLACK && $lastFiles - $files <= FILES ? 0 : 1);

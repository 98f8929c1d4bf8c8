<?php

// Whether a process grows with the calls it makes, which `faults growth` decides for all languages.

declare(strict_types=1);

/** Into how many equal parts the calls are divided, after each of which it is measured. */
const SHARES = 10;

/** @return array{memory: int, files: int} resident memory in KiB, open files */
function state(): array
{
    preg_match('/^VmRSS:\s*(\d+)/m', (string) file_get_contents('/proc/self/status'), $match);
    return ['memory' => (int) $match[1], 'files' => count((array) scandir('/proc/self/fd'))];
}

/** @param list<array<string, int>> $states after every so many calls */
function grows(array $states, int $calls): bool
{
    $process = proc_open(['faults', 'growth', '--calls', (string) $calls], [['pipe', 'r']], $pipes);
    fwrite($pipes[0], implode("\n", array_map(json_encode(...), $states)));
    fclose($pipes[0]);
    return proc_close($process) !== 0;
}

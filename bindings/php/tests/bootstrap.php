<?php

// What the tests share: servers, real ones and ones that misbehave.
//
// They look for the commands `faults` and `servers` in the PATH, and for what `servers all -- phpunit`
// puts into the environment.

declare(strict_types=1);

const ROOT = __DIR__ . '/../../..';

require __DIR__ . '/../drop-in/XmppPrebind.php';
require __DIR__ . '/AskedSite.php';
require __DIR__ . '/Fpm.php';

/** A server of `faults`; {@see end()} stops it, and `$output` is then its last line. */
final class Faulty
{
    public readonly string $url;
    public readonly ?string $ca;
    public mixed $output = null;
    public string $problem = '';
    public int $status = -1;

    /** @var resource */
    private $process;

    /** @var array<resource> */
    private array $pipes = [];

    public function __construct(string ...$arguments)
    {
        $descriptors = [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']];
        $this->process = proc_open(['faults', ...$arguments], $descriptors, $this->pipes, ROOT);
        $line = fgets($this->pipes[1]);
        if ($line === false) {
            throw new RuntimeException(stream_get_contents($this->pipes[2]));
        }
        $said = json_decode($line, true);
        $this->url = $said['url'];
        $this->ca = $said['ca'] ?? null;
    }

    /** Until the fault strikes once more; the server was started with --tell. */
    public function waitForStrike(): void
    {
        if (!str_contains((string) fgets($this->pipes[1]), 'struck')) {
            throw new RuntimeException('it does not strike');
        }
    }

    public function client(mixed ...$options): Prebind\Client
    {
        return new Prebind\Client($this->url, ...$options + ['ca' => $this->ca]);
    }

    public function end(): void
    {
        fclose($this->pipes[0]);
        $lines = explode("\n", trim(stream_get_contents($this->pipes[1])));
        $this->output = json_decode(end($lines), true);
        $this->problem = stream_get_contents($this->pipes[2]);
        $this->status = proc_close($this->process);
    }
}

/** A real server, as `servers` describes it. */
final class Real
{
    /** @param array<string, mixed> $described */
    private function __construct(public readonly string $kind, public readonly array $described)
    {
    }

    public static function of(string $kind): self
    {
        return new self($kind, json_decode((string) getenv('PREBIND_SERVERS'), true)[$kind]);
    }

    public function client(mixed ...$options): Prebind\Client
    {
        return new Prebind\Client($this->described['https_url'], ...$options + ['ca' => $this->ca()]);
    }

    public function ca(): string
    {
        return file_get_contents($this->described['ca_pem']);
    }

    public function password(string $name): string
    {
        return $this->described['accounts'][$name];
    }

    /** @return list<string> the full JIDs that are bound now */
    public function bound(): array
    {
        return json_decode((string) shell_exec('servers sessions'), true)[$this->kind]['jids'];
    }

    /**
     * A server may close a session shortly after it has answered the request to do so.
     *
     * @param list<string> $before
     * @return array<string> the full JIDs that are bound and were not before
     */
    public function left(array $before): array
    {
        $deadline = hrtime(true) / 1e9 + 30;
        while (($jids = array_diff($this->bound(), $before)) !== [] && hrtime(true) / 1e9 < $deadline) {
            usleep(50_000);
        }
        return $jids;
    }
}

/** Forgets that a cache was away: a time that is to come counts as none. */
function forget_cache(): void
{
    prebind_native_web_cache_answered(0, PHP_INT_MAX, '', '');
}

/** @return array<string, mixed> what there is, as the library says it */
function schema(): array
{
    return json_decode(prebind_native_schema(), true);
}

/** @return array{int, string, string} exit code, output and errors of another PHP with the extension */
function php(string $code, string ...$arguments): array
{
    return php_meanwhile(static fn () => '', $code, ...$arguments);
}

/**
 * The same, with something that is done while it runs.
 *
 * @param callable(resource, resource): string $meanwhile is given the process and its output, and returns what it
 *     has read from that
 * @return array{int, string, string}
 */
function php_meanwhile(callable $meanwhile, string $code, string ...$arguments): array
{
    $extension = getenv('PREBIND_EXTENSION');
    $command = [PHP_BINARY, '-d', "extension=$extension", ...$arguments, '-r', $code];
    $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
    fclose($pipes[0]);
    $output = $meanwhile($process, $pipes[1]) . stream_get_contents($pipes[1]);
    $errors = stream_get_contents($pipes[2]);
    return [proc_close($process), $output, $errors];
}

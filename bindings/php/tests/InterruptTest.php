<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What else happens while a call waits. */
final class InterruptTest extends TestCase
{
    private const CALL = <<<'PHP'
        $client = new Prebind\Client(%s, ca: %s, deadline: 20, request_timeout: 20);
        $start = microtime(true);
        try { $client->prebind('alice@localhost', 'wonder-1'); }
        catch (Throwable $error) { echo $error::class, ' '; }
        echo microtime(true) - $start < 5 ? 'soon' : 'late';
        PHP;

    public function testASignalsHandlerRunsAndTheCallGoesOnUnlessItThrows(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_alarm(1); pcntl_signal(SIGALRM, function () {
            static $count = 0; echo "signal "; pcntl_alarm(1); if (++$count == 2) throw new LogicException(); });';
        self::assertSame([0, 'signal signal LogicException soon', ''], $this->call($code));
    }

    public function testAHandlerMayEndTheScript(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_alarm(1); pcntl_signal(SIGALRM, function () { exit(3); });
            register_shutdown_function(function () { echo "end"; });';
        self::assertSame([3, 'end', ''], $this->call($code));
    }

    public function testAHandlerMayFail(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_alarm(1); pcntl_signal(SIGALRM, function () { eval("class A {} class A {}"); });
            register_shutdown_function(function () { echo "end"; });';
        [$status, $output] = $this->call($code, '-d', 'display_errors=0', '-d', 'log_errors=0');
        self::assertSame([255, 'end'], [$status, $output]);
    }

    /** @return array{int, string, string} */
    private function call(string $before, string ...$arguments): array
    {
        $server = new Faulty('serve', 'no-headers');
        try {
            return php($before . sprintf(self::CALL, var_export($server->url, true), var_export($server->ca, true)), ...$arguments);
        } finally {
            $server->end();
        }
    }
}

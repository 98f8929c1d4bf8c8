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

    public function testWhatAHandlerThrowsShowsNoSecret(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_alarm(1);
            pcntl_signal(SIGALRM, function () { $trace = (new LogicException())->getTrace();
                echo count($trace) > 2, str_contains(print_r($trace, true), "wonder-1") ? "shown " : "hidden ";
                throw new LogicException(); });';
        self::assertSame([0, '1hidden LogicException soon', ''], $this->call($code, '-d', 'zend.exception_ignore_args=0'));
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

    public function testASessionThatIsGivenUpIsEndedOnTheServer(): void
    {
        // It hangs once, after the session was created.
        $server = new Faulty('serve', 'no-headers', '--at', '2', '--once');
        $code = 'pcntl_async_signals(true); pcntl_alarm(1); pcntl_signal(SIGALRM, function () { throw new LogicException(); });';
        $output = php($code . $this->code($server));
        $server->end();
        self::assertSame([0, 'LogicException soon', ''], $output);
        $sent = array_column($server->output['requests'], 'body');
        self::assertCount(3, $sent);
        self::assertStringContainsString('faults-sid', $sent[2]);
        self::assertStringContainsString("type='terminate'", strtr($sent[2], '"', "'"));
    }

    public function testTheTimeOfAScriptMayEndWhileItWaits(): void
    {
        $server = new Faulty('serve', 'no-headers');
        $fpm = new Fpm(1);
        [[$worker]] = $fpm->answers('echo json_encode([getmypid()]);');
        // Waiting does not count: somebody else says that the time is over, by the signal that says so.
        $over = 'exec("(sleep 1; kill -PROF " . getmypid() . ") >/dev/null 2>&1 &"); ini_set("display_errors", "1"); set_time_limit(60);
            register_shutdown_function(function () { echo "end"; });';
        $start = microtime(true);
        [$output] = $fpm->outputs($over . $this->code($server));
        self::assertLessThan(5, microtime(true) - $start);
        self::assertStringContainsString('Maximum execution time of 60 seconds exceeded', $output);
        self::assertStringEndsWith('end', $output);
        self::assertSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));
        $fpm->end();
        $server->end();
    }

    /** @return array{int, string, string} */
    private function call(string $before, string ...$arguments): array
    {
        $server = new Faulty('serve', 'no-headers');
        try {
            return php($before . $this->code($server), ...$arguments);
        } finally {
            $server->end();
        }
    }

    private function code(Faulty $server): string
    {
        return sprintf(self::CALL, var_export($server->url, true), var_export($server->ca, true));
    }
}

<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What else happens while a call waits. */
final class InterruptTest extends TestCase
{
    private const CALL = <<<'PHP'
        $client = new Prebind\Client(%s, ca: %s, deadline: 60, request_timeout: 60);
        $start = hrtime(true) / 1e9;
        try { $client->prebind('alice@localhost', 'wonder-1'); }
        catch (Throwable $error) { echo $error::class, ' '; }
        echo hrtime(true) / 1e9 - $start < 30 ? 'soon' : 'late';
        PHP;

    public function testASignalsHandlerRunsAndTheCallGoesOnUnlessItThrows(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_signal(SIGALRM, function () {
            static $count = 0; echo "signal "; if (++$count == 2) throw new LogicException(); });';
        self::assertSame([0, 'signal signal LogicException soon', ''], $this->call($code, signals: 2));
    }

    public function testWhatAHandlerThrowsShowsNoSecret(): void
    {
        $code = 'pcntl_async_signals(true);
            pcntl_signal(SIGALRM, function () { $trace = (new LogicException())->getTrace();
                echo count($trace) > 2, str_contains(print_r($trace, true), "wonder-1") ? "shown " : "hidden ";
                throw new LogicException(); });';
        self::assertSame([0, '1hidden LogicException soon', ''], $this->call($code, ['-d', 'zend.exception_ignore_args=0']));
    }

    public function testAHandlerMayMakeACallOfItsOwnAlsoInAFiber(): void
    {
        $inner = 'try { (new Prebind\Client("http://127.0.0.1:9/"))->prebind("bob@localhost", "x"); }
            catch (Prebind\ConnectException) { echo "inner "; }';
        $code = "pcntl_async_signals(true);
            pcntl_signal(SIGALRM, function () { $inner throw new LogicException(); });";
        self::assertSame([0, 'inner LogicException soon', ''], $this->call($code));
        self::assertSame([0, 'inner LogicException soon', ''], $this->call($code, inFiber: true));
    }

    public function testFibersTakeTurnsBetweenTheirCalls(): void
    {
        $server = new Faulty('serve', 'no-headers', '--at', '1000');
        $client = $server->client();
        $calls = static function () use ($client): array {
            $jids = [];
            for ($count = 0; $count < 3; $count++) {
                $jids[] = $client->prebind('alice@localhost', 'wonder-1')->jid;
                Fiber::suspend();
                try {
                    (new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0))->prebind('bob@localhost', 'x');
                } catch (Prebind\ConnectException) {
                    Fiber::suspend();
                }
            }
            return $jids;
        };
        $fibers = array_map(static fn (): Fiber => new Fiber($calls), range(1, 3));
        array_walk($fibers, static fn (Fiber $fiber): mixed => $fiber->start());
        while ($left = array_filter($fibers, static fn (Fiber $fiber): bool => !$fiber->isTerminated())) {
            array_walk($left, static fn (Fiber $fiber): mixed => $fiber->resume());
        }
        $server->end();
        foreach ($fibers as $fiber) {
            self::assertSame(array_fill(0, 3, 'alice@localhost/faults'), $fiber->getReturn());
        }
    }

    public function testAHandlerMayEndTheScript(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_signal(SIGALRM, function () { exit(3); });
            register_shutdown_function(function () { echo "end"; });';
        self::assertSame([3, 'end', ''], $this->call($code));
    }

    public function testAHandlerMayFail(): void
    {
        $code = 'pcntl_async_signals(true); pcntl_signal(SIGALRM, function () { eval("class A {} class A {}"); });
            register_shutdown_function(function () { echo "end"; });';
        [$status, $output] = $this->call($code, ['-d', 'display_errors=0', '-d', 'log_errors=0']);
        self::assertSame([255, 'end'], [$status, $output]);
    }

    public function testASessionThatIsGivenUpIsEndedOnTheServer(): void
    {
        // It hangs once, after the session was created.
        $server = new Faulty('serve', 'no-headers', '--at', '2', '--once', '--tell');
        $code = 'pcntl_async_signals(true); pcntl_signal(SIGALRM, function () { throw new LogicException(); });';
        $output = $this->interrupted($server, $code);
        $server->end();
        self::assertSame([0, 'LogicException soon', ''], $output);
        $sent = array_column($server->output['requests'], 'body');
        self::assertCount(3, $sent);
        self::assertStringContainsString('faults-sid', $sent[2]);
        self::assertStringContainsString("type='terminate'", strtr($sent[2], '"', "'"));
    }

    public function testTheTimeOfAScriptMayEndWhileItWaits(): void
    {
        $server = new Faulty('serve', 'no-headers', '--tell');
        $fpm = new Fpm(1);
        [[$worker]] = $fpm->answers('echo json_encode([getmypid()]);');
        $over = 'ini_set("display_errors", "1"); set_time_limit(60); register_shutdown_function(function () { echo "end"; });';
        $asked = $fpm->ask($over . $this->code($server));
        $server->waitForStrike();
        $start = hrtime(true) / 1e9;
        // Waiting does not count: somebody else says that the time is over, by the signal that says so.
        exec("kill -PROF $worker");
        $output = $fpm->output($asked);
        self::assertLessThan(30, hrtime(true) / 1e9 - $start, "half of the call's own deadline");
        self::assertStringContainsString('Maximum execution time of 60 seconds exceeded', $output);
        self::assertStringEndsWith('end', $output);
        self::assertSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));
        $fpm->end();
        $server->end();
    }

    /**
     * @param list<string> $arguments
     * @return array{int, string, string}
     */
    private function call(string $before, array $arguments = [], int $signals = 1, bool $inFiber = false): array
    {
        $server = new Faulty('serve', 'no-headers', '--tell');
        try {
            return $this->interrupted($server, $before, $arguments, $signals, $inFiber);
        } finally {
            $server->end();
        }
    }

    /**
     * A call to which a signal is sent when the fault strikes, and another once the handler says that it had one.
     *
     * @param list<string> $arguments
     * @return array{int, string, string}
     */
    private function interrupted(
        Faulty $server,
        string $before,
        array $arguments = [],
        int $signals = 1,
        bool $inFiber = false,
    ): array {
        $send = static function ($process, $output) use ($server, $signals): string {
            $server->waitForStrike();
            proc_terminate($process, SIGALRM);
            for ($said = ''; $signals > 1; $signals--) {
                $said .= fread($output, strlen('signal '));
                proc_terminate($process, SIGALRM);
            }
            return $said;
        };
        $code = $this->code($server);
        $code = $inFiber ? "(new Fiber(function () { $code }))->start();" : $code;
        return php_meanwhile($send, $before . $code, ...$arguments);
    }

    private function code(Faulty $server): string
    {
        return sprintf(self::CALL, var_export($server->url, true), var_export($server->ca, true));
    }
}

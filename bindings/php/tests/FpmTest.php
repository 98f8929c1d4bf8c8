<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What php-fpm's workers keep, and survive. */
final class FpmTest extends TestCase
{
    private const LOGIN = <<<'PHP'
        $session = $client->prebind('alice@localhost', token: $password);
        $client->terminate($session);
        usleep(300_000);
        $links = array_map(fn ($file) => @readlink($file), glob('/proc/self/fd/*'));
        $sockets = array_filter(explode("\n", file_get_contents('/proc/self/net/tcp')), fn ($line) => preg_match("/^ *\\d+: \\S+ 0100007F:$port /", $line));
        $open = array_filter($sockets, fn ($line) => in_array('socket:[' . preg_split('/ +/', trim($line))[9] . ']', $links, true));
        echo json_encode([getmypid(), $session->roundTrips, array_map(fn ($line) => explode(' ', trim($line))[1], array_values($open))]);
        PHP;

    public function testWhatOneWorkerLearnedTheOthersFindInApcu(): void
    {
        $fpm = new Fpm(4, '-d', 'apc.enabled=1');
        [[$first, $classic]] = $fpm->answers($this->login());
        $four = $fpm->answers(...array_fill(0, 4, $this->login()));
        $fpm->end();
        self::assertCount(4, array_unique(array_column($four, 0)));
        self::assertContains($first, array_column($four, 0));
        foreach ($four as [, $roundTrips]) {
            self::assertLessThan($classic, $roundTrips);
        }
    }

    public function testWithoutApcuEachWorkerLearnsByItself(): void
    {
        $fpm = new Fpm(2, '-d', 'apc.enabled=0');
        $before = $fpm->answers($this->login(), $this->login());
        $after = $fpm->answers($this->login(), $this->login());
        $fpm->end();
        self::assertCount(2, array_unique(array_column([...$before, ...$after], 0)));
        self::assertSame($before[0][1], $before[1][1]);
        self::assertLessThan($before[0][1], max(array_column($after, 1)));
    }

    public function testAWorkerKeepsItsConnectionsFromOneRequestToTheNext(): void
    {
        $fpm = new Fpm(1);
        $connections = [];
        for ($i = 0; $i < 10; $i++) {
            [[, , $open]] = $fpm->answers($this->login());
            self::assertNotEmpty($open);
            $connections = array_merge($connections, $open);
        }
        $fpm->end();
        self::assertLessThanOrEqual(2, count(array_unique($connections)), 'two may be open at once');
    }

    public function testAVisitorWhoGoesAndAScriptThatTakesTooLongCostNoWorker(): void
    {
        $server = new Faulty('serve', 'no-headers');
        $client = sprintf('$client = new Prebind\Client(%s, ca: %s, deadline: 2, fail_fast_after: 0);', var_export($server->url, true), var_export($server->ca, true));
        $call = 'try { $client->prebind("alice@localhost", "x"); } catch (Prebind\TimeoutException) {}';
        $fpm = new Fpm(1);
        [[$worker]] = $fpm->answers('echo json_encode([getmypid()]);');

        $fpm->leaves("$client $call echo 'nobody reads this'; flush();");
        self::assertSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));

        // Waiting does not count, computing does.
        $output = $fpm->outputs("set_time_limit(1); $client $call echo 'waited'; flush(); for (;;) {}")[0];
        self::assertStringEndsWith('waited', $output);
        self::assertSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));
        $fpm->end();
        $server->end();
    }

    private function login(): string
    {
        $prosody = Real::of('prosody');
        [$url, $password] = [$prosody->described['http_url'], $prosody->password('alice')];
        $port = sprintf('%04X', parse_url($url, PHP_URL_PORT));
        return sprintf('[$client, $password, $port] = [new Prebind\Client(%s), %s, "%s"];', var_export($url, true), var_export($password, true), $port) . self::LOGIN;
    }
}

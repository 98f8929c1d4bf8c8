<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What php-fpm's workers keep, and survive. */
final class FpmTest extends TestCase
{
    private const LOGIN = <<<'PHP'
        touch("$together/" . getmypid());
        while (count(glob("$together/*")) < $workers) {
            usleep(5_000);
        }
        $session = $client->prebind('alice@localhost', token: $password);
        $client->terminate($session);
        $links = array_map(fn ($file) => @readlink($file), glob('/proc/self/fd/*'));
        $sockets = array_filter(explode("\n", file_get_contents('/proc/self/net/tcp')), fn ($line) => preg_match("/^ *\\d+: \\S+ 0100007F:$port /", $line));
        $open = array_filter($sockets, fn ($line) => in_array('socket:[' . preg_split('/ +/', trim($line))[9] . ']', $links, true));
        echo json_encode([getmypid(), $session->roundTrips, array_map(fn ($line) => explode(' ', trim($line))[1], array_values($open))]);
        PHP;

    /** Lets all workers log in at the same time. */
    private const ALL_AT_ONCE = ['-d', 'prebind.max_host_calls=100'];

    /** @var list<string> */
    private array $folders = [];

    protected function tearDown(): void
    {
        foreach ($this->folders as $folder) {
            array_map(unlink(...), glob("$folder/*"));
            rmdir($folder);
        }
    }

    public function testWhatOneWorkerLearnedTheOthersFindInApcu(): void
    {
        $fpm = new Fpm(4, '-d', 'apc.enabled=1', ...self::ALL_AT_ONCE);
        [[$first, $classic]] = $fpm->answers($this->login(1));
        $four = $this->together($fpm, 4);
        $fpm->end();
        self::assertCount(4, array_unique(array_column($four, 0)));
        self::assertContains($first, array_column($four, 0));
        foreach ($four as [, $roundTrips]) {
            self::assertLessThan($classic, $roundTrips);
        }
    }

    public function testWithoutApcuEachWorkerLearnsByItself(): void
    {
        $fpm = new Fpm(2, '-d', 'apc.enabled=0', ...self::ALL_AT_ONCE);
        [$before, $after] = [$this->together($fpm, 2), $this->together($fpm, 2)];
        $fpm->end();
        self::assertCount(2, array_unique(array_column([...$before, ...$after], 0)));
        self::assertSame($before[0][1], $before[1][1]);
        self::assertLessThan($before[0][1], max(array_column($after, 1)));
    }

    public function testAWorkerKeepsItsConnectionsFromOneRequestToTheNext(): void
    {
        $fpm = new Fpm(1);
        $login = $this->login(1);
        $connections = [];
        for ($i = 0; $i < 100; $i++) {
            [[, , $open]] = $fpm->answers($login);
            self::assertNotEmpty($open);
            $connections = array_merge($connections, $open);
        }
        $fpm->end();
        // Prosody lets one rest that has created a session, so another is needed for a while.
        self::assertLessThan(50, count(array_unique($connections)), 'two are enough for many calls');
    }

    public function testAVisitorWhoGoesAndAScriptThatTakesTooLongCostNoWorker(): void
    {
        $server = new Faulty('serve', 'no-headers', '--tell');
        $client = sprintf('$client = new Prebind\Client(%s, ca: %s, deadline: 2, fail_fast_after: 0);', var_export($server->url, true), var_export($server->ca, true));
        $call = 'try { $client->prebind("alice@localhost", "x"); } catch (Prebind\TimeoutException) {}';
        $fpm = new Fpm(1);
        [[$worker]] = $fpm->answers('echo json_encode([getmypid()]);');

        $asked = $fpm->ask("$client $call echo 'nobody reads this'; flush();");
        $server->waitForStrike();
        fclose($asked);
        self::assertSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));

        // Waiting does not count, computing does.
        $output = $fpm->outputs("set_time_limit(1); $client $call echo 'waited'; flush(); for (;;) {}")[0];
        self::assertStringEndsWith('waited', $output);
        self::assertSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));
        $fpm->end();
        $server->end();
    }

    public function testAServerThatHangsTakesHalfOfTheWorkers(): void
    {
        $server = new Faulty('serve', 'no-headers', '--tell');
        $client = sprintf('new Prebind\Client(%s, ca: %s, deadline: 60, fail_fast_after: 0)', var_export($server->url, true), var_export($server->ca, true));
        $answer = <<<PHP
            \$asked = ['REQUEST_METHOD' => 'GET', 'HTTP_SEC_FETCH_SITE' => 'same-origin'];
            \$it = Prebind\Converse::answer('alice@localhost', fn () => ['password' => 'x'], $client, null, \$asked, []);
            echo json_encode([\$it->status, \$it->headers['Retry-After'] ?? null, json_decode(\$it->body, true)]);
            PHP;
        $fpm = new Fpm(2);
        $hanging = $fpm->ask($answer);
        $server->waitForStrike();
        self::assertSame([[503, '1', ['kind' => 'Timeout', 'retry' => 'later']]], $fpm->answers($answer));
        fclose($hanging);
        $fpm->end();
        $server->end();
    }

    public function testAReloadWaitsForALogin(): void
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $client = sprintf("new Prebind\\Client('http://%s/')", stream_socket_get_name($server, false));
        $fpm = new Fpm(1);
        try {
            [[$worker]] = $fpm->answers('echo json_encode([getmypid()]);');
            $asked = $fpm->ask("try { ($client)->prebind('alice@localhost', 'x'); } catch (Prebind\\HttpException) { echo 'it failed'; }");
            $login = stream_socket_accept($server, 60);
            $fpm->reload();
            fread($login, 8192);
            fwrite($login, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            self::assertSame('it failed', $fpm->output($asked));
            self::assertNotSame([[$worker]], $fpm->answers('echo json_encode([getmypid()]);'));
        } finally {
            $fpm->end();
        }
    }

    /**
     * What as many workers answer to one login each.
     *
     * @return list<mixed>
     */
    private function together(Fpm $fpm, int $workers): array
    {
        return $fpm->answers(...array_fill(0, $workers, $this->login($workers)));
    }

    /** A login that begins when so many workers have been asked for one. */
    private function login(int $workers): string
    {
        $together = sys_get_temp_dir() . '/together-' . bin2hex(random_bytes(8));
        mkdir($together);
        $this->folders[] = $together;
        $prosody = Real::of('prosody');
        [$url, $password] = [$prosody->described['http_url'], $prosody->password('alice')];
        $port = sprintf('%04X', parse_url($url, PHP_URL_PORT));
        return sprintf('[$client, $password, $port] = [new Prebind\Client(%s), %s, "%s"]; [$together, $workers] = ["%s", %d];', var_export($url, true), var_export($password, true), $port, $together, $workers) . self::LOGIN;
    }
}

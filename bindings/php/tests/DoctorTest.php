<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What the operator is told. */
final class DoctorTest extends TestCase
{
    private const URL = 'https://chat.example.org/http-bind';

    private string $dist;

    protected function setUp(): void
    {
        $this->dist = sys_get_temp_dir() . '/dist-' . bin2hex(random_bytes(8));
        mkdir($this->dist);
        touch("$this->dist/converse.min.css");
        touch("$this->dist/converse.min.js");
    }

    protected function tearDown(): void
    {
        exec('rm -r ' . escapeshellarg($this->dist));
    }

    public function testAllIsWell(): void
    {
        $prosody = Real::of('prosody');
        $before = $prosody->bound();
        $password = $prosody->password('alice');
        $client = fn () => $prosody->client(relearn_after: 900);
        $users = ['alice' => 'alice@localhost', 'bob' => 'bob@localhost', 'nobody' => null];
        [$status, $said] = $this->examine('alice@localhost', fn () => ['password' => $password], $client, browser_url: self::URL, dist: "$this->dist/", users: $users);
        self::assertSame(0, $status, $said);
        $url = preg_quote($prosody->described['https_url'], '/');
        $took = ' \(\d+ ms\)';
        $lines = [
            ' 2 user +not tried: the JID is given', " 3 account +alice@localhost, with password$took",
            " 4 users +no two of 3 users share a chat account$took", " 5 page +Converse\.js is .*[^\/]\/converse\.min\.js$took",
            " 6 browser_url +https:\/\/chat\.example\.org\/http-bind$took", ' 7 reached +warning: from this machine: .*',
            " 8 rate_limit +30 sessions of a user in 60 s, counted in APCu$took", " 9 client +$url, and the settings are good$took",
            "10 login +alice@localhost\/\S+, by SCRAM-\S+, in \d round trips; a browser has \d+ s to attach$took",
            "11 end +the session is gone$took", "12 cache +the cache keeps what was learned of the chat server$took",
            '13 next_login +not tried: the credentials are no tokens .*', '14 body_limit +not tried: the credentials are no tokens .*',
        ];
        self::assertMatchesRegularExpression('/^ 1 site .*\n' . implode('\n', $lines) . '\n$/', $said);
        self::assertStringNotContainsString($password, $said);
        self::assertSame([], array_diff($prosody->bound(), $before));
    }

    public function testTheBrowsersAddressIsTried(): void
    {
        $url = Real::of('prosody')->described['http_url'];
        foreach ([$url => 'a chat server answers this machine \(', "{$url}elsewhere" => 'warning: from this machine: .*404'] as $given => $line) {
            $said = $this->examine(null, fn () => [], fn () => throw new LogicException(), browser_url: $given)[1];
            self::assertMatchesRegularExpression("/^ 7 reached +$line/m", $said);
        }
        $said = $this->examine(null, fn () => [], browser_url: '/http-bind')[1];
        self::assertStringContainsString(" 7 reached      not tried: the site's web server passes /http-bind on to the chat server\n", $said);
    }

    public function testUsersWhoShareAnAccount(): void
    {
        $users = ['Alice' => 'Alice@localhost', 'bob' => null, 'alice' => 'alice@localhost'];
        $said = $this->examine(null, fn () => [], users: $users)[1];
        self::assertStringContainsString(" 4 users        warning: Alice and alice share Alice@localhost: make the JIDs of the users' keys", $said);
        self::assertStringContainsString(' 4 users        not tried: there is no list of users: give', $this->examine(null, fn () => [])[1]);
    }

    public function testAnotherToken(): void
    {
        $ejabberd = Real::of('ejabberd');
        $jwt = fn () => ['jwt' => new Prebind\Jwt('a key for tests, and only for tests', 'HS256')];
        $url = $ejabberd->described['http_url'];
        [$status, $said] = $this->examine('alice@jwt.local', $jwt, $ejabberd->client(), browser_url: $url);
        self::assertSame(0, $status);
        self::assertMatchesRegularExpression('/^13 next_login   another token logs in as well \(/m', $said);
        self::assertMatchesRegularExpression('/^14 body_limit   a request of 70,000 bytes gets through, as it may/m', $said);
    }

    public function testAWrongPassword(): void
    {
        $client = Real::of('prosody')->client();
        [$status, $said] = $this->examine('alice@localhost', fn () => ['password' => 'hunter2'], $client, browser_url: self::URL);
        self::assertSame(1, $status);
        self::assertMatchesRegularExpression('/^10 login +error: the server refused the login .*check the user name and the password/m', $said);
        self::assertStringContainsString("\n   kind=Auth stage=authenticate condition=not-authorized retry=no\n11 end          not tried: see 10 login\n", $said);
        self::assertStringNotContainsString('hunter2', $said);
    }

    /** @return iterable<array{int, string, array<string, mixed>}> the exit status, a line, and what is given instead */
    public static function given(): iterable
    {
        $hunter2 = fn () => throw new RuntimeException('hunter2');
        $here = preg_quote(__FILE__, '/');
        yield [1, ' 3 account +error: nobody is signed in: give', ['jid' => null]];
        yield [1, ' 3 account +error: this user has no chat, since \$jid gives no JID', ['jid' => fn () => '']];
        yield [1, ' 3 account +error: jid: .*\n   kind=Config', ['jid' => fn () => Prebind\jid_from_user('', 'localhost')]];
        yield [1, " 3 account +error: RuntimeException in $here:\\d+", ['jid' => $hunter2]];
        yield [1, " 3 account +error: RuntimeException in $here:\\d+", ['credentials' => $hunter2]];
        yield [1, ' 3 account +error: only the session of a browser', ['credentials' => fn () => throw new Prebind\SignInAgain()]];
        yield [1, ' 5 page +error: there is no \/nowhere\/converse\.min\.css: npm install', ['dist' => '/nowhere/']];
        yield [0, ' 6 browser_url +\/http-bind \(', ['browser_url' => '/http-bind']];
        yield [1, ' 6 browser_url +error: ftp:\S+ is neither .*\n 7 reached +not tried: see 6 browser_url\n', ['browser_url' => 'ftp://chat.example.org/']];
        yield [1, ' 6 browser_url +error: \/\/chat\.example\.org\/ is neither', ['browser_url' => '//chat.example.org/']];
        yield [1, ' 6 browser_url +error: it is missing: set \$browser_url, or prebind\.browser_url', ['browser_url' => '']];
        yield [0, ' 6 browser_url +warning: http:\S+ is http: no page', ['browser_url' => 'http://chat.example.org/']];
        foreach (['127.0.0.1:5280', '[::1]:5280', 'localhost', 'chat.localhost'] as $host) {
            yield [0, ' 6 browser_url +warning: \S+ is on this machine: set', ['browser_url' => "https://$host/"]];
        }
        yield [1, ' 8 rate_limit +error: \$rate_limit: is an array; it has to be two numbers', ['rate_limit' => [30]]];
        yield [1, ' 8 rate_limit +error: \$rate_limit: is an array; it has to be two numbers', ['rate_limit' => [30, 0]]];
        yield [0, ' 8 rate_limit +off: a user may open any', ['rate_limit' => null]];
        yield [1, " 9 client +error: RuntimeException in $here:\\d+", ['client' => $hunter2]];
        yield [1, ' 9 client +error: wait: .*\n   kind=Config', ['client' => fn () => new Prebind\Client(self::URL, wait: -1)]];
        yield [1, '10 login +error: .*\n   kind=Connect', ['client' => new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0)]];
    }

    /**
     * @dataProvider given
     *
     * @param array<string, mixed> $given
     */
    public function testWhatTheSiteGives(int $status, string $line, array $given): void
    {
        $prosody = Real::of('prosody');
        $fine = ['jid' => 'alice@localhost', 'credentials' => fn () => ['password' => $prosody->password('alice')],
            'client' => $prosody->client(), 'browser_url' => self::URL, 'dist' => $this->dist];
        [$found, $said] = $this->examine(...$given + $fine);
        self::assertMatchesRegularExpression("/^$line/m", $said);
        self::assertSame($status, $found, $said);
        self::assertStringNotContainsString('hunter2', $said);
    }

    /** @return iterable<array{int, string, array<string>}> the exit status, a line, and the settings */
    public static function set(): iterable
    {
        $url = 'prebind.url=http://127.0.0.1:9/';
        yield [1, ' 6 browser_url +error: it is missing', []];
        yield [1, ' 9 client +error: url: .* \(in php\.ini it is prebind\.url\) \(\d+ ms\)\n', []];
        yield [1, ' 9 client +error: deadline: .* \(in php\.ini it is prebind\.deadline\) \(\d+ ms\)\n', [$url, 'prebind.deadline=x']];
        yield [1, ' 9 client +error: iterations: .* \(in php\.ini it is prebind\.iterations\) \(\d+ ms\)\n', [$url, 'prebind.iterations=x']];
        yield [1, ' 9 client +error: weakest_mechanism: .* \(in php\.ini it is prebind\.weakest_mechanism\) \(\d+ ms\)\n', [$url, 'prebind.weakest_mechanism=x']];
        yield [1, ' 9 client +error: learn: .* \(in php\.ini it is prebind\.learn\) \(\d+ ms\)\n', [$url, 'prebind.learn=perhaps']];
        yield [1, '10 login +error: .*\n   kind=Connect', [$url]];
        yield [1, ' 6 browser_url +https:\/\/chat\.example\.org \(', [$url, 'prebind.browser_url=https://chat.example.org']];
        yield [1, ' 9 client +warning: http:\S+ is http: an attacker', ['prebind.url=http://chat.example.invalid/', 'prebind.deadline=0.3']];
        yield [1, ' 1 site +prebind \S+, PHP \S+, cli, with the settings of no php\.ini \(', [$url]];
        yield [1, ' 8 rate_limit +warning: nothing counts, .*: install APCu, php-apcu on Debian \(', [$url]];
        yield [1, '12 cache +warning: there is none, so each process learns by itself: install APCu', [$url]];
        yield [1, ' 8 rate_limit +warning: nothing counts, .*: set apc\.enabled=1', [$url, 'extension=apcu', 'apc.enabled=0']];
        yield [1, '12 cache +warning: there is none, .*: set apc\.enabled=1', [$url, 'extension=apcu', 'apc.enabled=0']];
        yield [1, ' 8 rate_limit +not tried: 30 sessions of a user in 60 s, counted in APCu, which only pages have\n', [$url, 'extension=apcu']];
        yield [1, ' 8 rate_limit +30 sessions of a user in 60 s, counted in APCu \(', [$url, 'extension=apcu', 'apc.enable_cli=1']];
        yield [1, '12 cache +not tried: APCu is only in pages\n', [$url, 'extension=apcu']];
    }

    /**
     * @dataProvider set
     *
     * @param array<string> $settings
     */
    public function testWhatPhpIniSets(int $status, string $line, array $settings): void
    {
        $code = 'exit(Prebind\doctor("alice@localhost", fn () => ["password" => "hunter2"]));';
        [$exit, $said] = php($code, '-n', ...array_merge(...array_map(fn ($setting) => ['-d', $setting], $settings)));
        self::assertMatchesRegularExpression("/^$line/m", $said);
        self::assertSame($status, $exit, $said);
    }

    public function testTheCommandLineHasSettingsOfItsOwn(): void
    {
        mkdir("$this->dist/cli");
        touch("$this->dist/cli/php.ini");
        $said = php('Prebind\doctor(null, fn () => []);', '-c', "$this->dist/cli/php.ini")[1];
        self::assertStringStartsWith(" 1 site         warning: the settings are those of $this->dist/cli/php.ini", $said);
    }

    public function testACacheOutOfOrder(): void
    {
        $prosody = Real::of('prosody');
        $client = $prosody->client(cache: [fn () => null, fn () => false]);
        [$status, $said] = $this->examine('alice@localhost', fn () => ['password' => $prosody->password('alice')], $client, browser_url: self::URL);
        self::assertSame(0, $status);
        self::assertMatchesRegularExpression('/^12 cache +warning: the cache does not keep what was learned/m', $said);
    }

    public function testAPageSeesWhatPagesHave(): void
    {
        $prosody = Real::of('prosody');
        $code = sprintf(
            'echo Prebind\doctor("alice@localhost", fn () => ["password" => %s]);',
            var_export($prosody->password('alice'), true),
        );
        foreach (['1' => 'counted in APCu \(.*12 cache +the cache keeps what was learned .*\n0', '0' => 'set apc\.enabled=1 in php\.ini \(.*, or give the client a cache \(.*\n0'] as $enabled => $line) {
            $fpm = new Fpm(1, '-d', "apc.enabled=$enabled", '-d', "prebind.url={$prosody->described['http_url']}");
            [$said] = $fpm->outputs($code);
            $fpm->end();
            self::assertMatchesRegularExpression("/^ 1 site +prebind \\S+, PHP \\S+, fpm-fcgi, with the settings of .*$line$/s", $said);
        }
    }

    /** @return array{int, string} what it returns, and prints */
    private function examine(mixed ...$arguments): array
    {
        ob_start();
        try {
            return [Prebind\doctor(...$arguments), (string) ob_get_contents()];
        } finally {
            ob_end_clean();
        }
    }
}

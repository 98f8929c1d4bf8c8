<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Prebind\Converse;

/** What the operator is told. */
final class CheckTest extends TestCase
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
        [$errors, $said] = $this->check('alice@localhost', fn () => ['password' => $password], $client, browser_url: self::URL, dist: "$this->dist/");
        self::assertSame(0, $errors, $said);
        $url = preg_quote($prosody->described['https_url'], '/');
        $lines = [
            'account +alice@localhost, with password \(\d+ ms\)', 'page +Converse\.js is .*[^\/]\/converse\.min\.js',
            'browser_url +https:\/\/chat\.example\.org\/http-bind', 'reached +warning: from this machine: .*', 'rate limit +30 sessions of a user in 60 s, counted in APCu',
            "client +$url, and the settings are good \\(\\d+ ms\\)", 'login +alice@localhost\/\S+ \(\d+ ms\)', 'mechanism +SCRAM-\S+',
            'round trips +\d', 'attach within +\d+ s', 'end +the session is gone \(\d+ ms\)', 'cache +it has what was learned',
        ];
        self::assertMatchesRegularExpression('/^php .*\n' . implode('\n', $lines) . '\n$/', $said);
        self::assertStringNotContainsString($password, $said);
        self::assertSame([], array_diff($prosody->bound(), $before));
    }

    public function testTheBrowsersAddressIsTried(): void
    {
        $url = Real::of('prosody')->described['http_url'];
        foreach ([$url => 'a chat server answers this machine$', "{$url}elsewhere" => 'warning: from this machine: .*404'] as $given => $line) {
            $said = $this->check(null, fn () => [], fn () => throw new LogicException(), browser_url: $given)[1];
            self::assertMatchesRegularExpression("/^reached +$line/m", $said);
        }
        self::assertStringNotContainsString('reached', $this->check(null, fn () => [], browser_url: '/http-bind')[1]);
    }

    public function testAWrongPassword(): void
    {
        $client = Real::of('prosody')->client();
        [$errors, $said] = $this->check('alice@localhost', fn () => ['password' => 'hunter2'], $client, browser_url: self::URL);
        self::assertSame(1, $errors);
        self::assertMatchesRegularExpression('/^login +error: the server refused the login .*check the user name and the password/m', $said);
        self::assertStringContainsString("\n  kind=Auth stage=authenticate condition=not-authorized retry=no\n", $said);
        self::assertStringNotContainsString('hunter2', $said);
    }

    /** @return iterable<array{int, string, array<string, mixed>}> how many errors, a line, and what is given instead */
    public static function given(): iterable
    {
        $hunter2 = fn () => throw new RuntimeException('hunter2');
        $here = preg_quote(__FILE__, '/');
        yield [1, 'account +error: nobody is signed in: give', ['jid' => null]];
        yield [1, 'account +error: the JID is empty', ['jid' => fn () => '']];
        yield [1, 'account +error: jid: .*\n  kind=Config', ['jid' => fn () => Prebind\jid_from_user('', 'localhost')]];
        yield [1, "account +error: RuntimeException in $here:\\d+", ['jid' => $hunter2]];
        yield [1, "account +error: RuntimeException in $here:\\d+", ['credentials' => $hunter2]];
        yield [1, 'page +error: there is no \/nowhere\/converse\.min\.css: npm install', ['dist' => '/nowhere/']];
        yield [0, 'browser_url +\/http-bind, which this site\'s web server passes on to the chat server: not tried$', ['browser_url' => '/http-bind']];
        yield [1, 'browser_url +error: it is neither', ['browser_url' => 'ftp://chat.example.org/']];
        yield [1, 'browser_url +error: it is neither', ['browser_url' => '//chat.example.org/']];
        yield [1, 'browser_url +error: it is missing: set prebind\.browser_url', ['browser_url' => '']];
        yield [0, 'browser_url +warning: http:\S+ is http: no page', ['browser_url' => 'http://chat.example.org/']];
        foreach (['127.0.0.1:5280', '[::1]:5280', 'localhost', 'chat.localhost'] as $host) {
            yield [0, 'browser_url +warning: \S+ is on this machine: set', ['browser_url' => "https://$host/"]];
        }
        yield [1, 'rate limit +error: \$rate_limit: is an array; it has to be two numbers', ['rate_limit' => [30]]];
        yield [1, 'rate limit +error: \$rate_limit: is an array; it has to be two numbers', ['rate_limit' => [30, 0]]];
        yield [0, 'rate limit +none', ['rate_limit' => null]];
        yield [1, "client +error: RuntimeException in $here:\\d+", ['client' => $hunter2]];
        yield [1, 'client +error: wait: .*\n  kind=Config', ['client' => fn () => new Prebind\Client(self::URL, wait: -1)]];
        yield [1, 'login +error: .*\n  kind=Connect', ['client' => new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0)]];
    }

    /**
     * @dataProvider given
     *
     * @param array<string, mixed> $given
     */
    public function testWhatTheSiteGives(int $errors, string $line, array $given): void
    {
        $prosody = Real::of('prosody');
        $fine = ['jid' => 'alice@localhost', 'credentials' => fn () => ['password' => $prosody->password('alice')],
            'client' => $prosody->client(), 'browser_url' => self::URL, 'dist' => $this->dist];
        [$found, $said] = $this->check(...$given + $fine);
        self::assertMatchesRegularExpression("/^$line/m", $said);
        self::assertSame($errors, $found, $said);
        self::assertStringNotContainsString('hunter2', $said);
    }

    /** @return iterable<array{int, string, array<string>}> how many errors, a line, and the settings */
    public static function set(): iterable
    {
        $url = 'prebind.url=http://127.0.0.1:9/';
        yield [2, 'browser_url +error: it is missing', []];
        yield [2, 'client +error: url: .* \(in php\.ini it is prebind\.url\)\n', []];
        yield [1, 'client +error: deadline: .* \(in php\.ini it is prebind\.deadline\)\n', [$url, 'prebind.deadline=x']];
        yield [1, 'client +error: iterations: .* \(in php\.ini it is prebind\.iterations\)\n', [$url, 'prebind.iterations=x']];
        yield [1, 'client +error: weakest_mechanism: .* \(in php\.ini it is prebind\.weakest_mechanism\)\n', [$url, 'prebind.weakest_mechanism=x']];
        yield [1, 'client +error: learn: .* \(in php\.ini it is prebind\.learn\)\n', [$url, 'prebind.learn=perhaps']];
        yield [1, 'login +error: .*\n  kind=Connect', [$url]];
        yield [1, 'browser_url +https:\/\/chat\.example\.org$', [$url, 'prebind.browser_url=https://chat.example.org']];
        yield [1, 'client +warning: http:\S+ is http: an attacker', ['prebind.url=http://chat.example.invalid/', 'prebind.deadline=0.3']];
        yield [1, 'php +\S+, cli, with the settings of no php\.ini\n', [$url]];
        yield [1, 'rate limit +warning: nothing is counted.*: install APCu, php-apcu on Debian\n', [$url]];
        yield [1, 'cache +warning: there is none, each process learns by itself: install APCu', [$url]];
        yield [1, 'rate limit +warning: nothing is counted.*: set apc\.enabled=1', [$url, 'extension=apcu', 'apc.enabled=0']];
        yield [1, 'cache +warning: there is none, .*: set apc\.enabled=1', [$url, 'extension=apcu', 'apc.enabled=0']];
        yield [1, 'rate limit +30 sessions of a user in 60 s, counted in APCu in pages: not tried\n', [$url, 'extension=apcu']];
        yield [1, 'rate limit +30 sessions of a user in 60 s, counted in APCu\n', [$url, 'extension=apcu', 'apc.enable_cli=1']];
        yield [1, 'cache +APCu, in pages: not tried\n', [$url, 'extension=apcu']];
    }

    /**
     * @dataProvider set
     *
     * @param array<string> $settings
     */
    public function testWhatPhpIniSets(int $errors, string $line, array $settings): void
    {
        $code = 'exit(Prebind\Converse::check("alice@localhost", fn () => ["password" => "hunter2"]));';
        [$status, $said] = php($code, '-n', ...array_merge(...array_map(fn ($setting) => ['-d', $setting], $settings)));
        self::assertMatchesRegularExpression("/^$line/m", $said);
        self::assertSame($errors, $status, $said);
    }

    public function testTheCommandLineHasSettingsOfItsOwn(): void
    {
        mkdir("$this->dist/cli");
        touch("$this->dist/cli/php.ini");
        $said = php('Prebind\Converse::check(null, fn () => []);', '-c', "$this->dist/cli/php.ini")[1];
        self::assertStringStartsWith("php            warning: the settings are those of $this->dist/cli/php.ini", $said);
    }

    public function testACacheOutOfOrder(): void
    {
        $prosody = Real::of('prosody');
        $client = $prosody->client(cache: [fn () => null, fn () => false]);
        [$errors, $said] = $this->check('alice@localhost', fn () => ['password' => $prosody->password('alice')], $client, browser_url: self::URL);
        self::assertSame(0, $errors);
        self::assertMatchesRegularExpression('/^cache +warning: it is out of order/m', $said);
    }

    public function testAPageSeesWhatPagesHave(): void
    {
        $prosody = Real::of('prosody');
        $code = sprintf(
            'echo Prebind\Converse::check("alice@localhost", fn () => ["password" => %s]);',
            var_export($prosody->password('alice'), true),
        );
        foreach (['1' => 'counted in APCu\n.*cache +it has what was learned\n0', '0' => 'set apc\.enabled=1 in php\.ini\n.*, or give the client a cache\n0'] as $enabled => $line) {
            $fpm = new Fpm(1, '-d', "apc.enabled=$enabled", '-d', "prebind.url={$prosody->described['http_url']}");
            [$said] = $fpm->outputs($code);
            $fpm->end();
            self::assertMatchesRegularExpression("/^php +\\S+, fpm-fcgi, with the settings of .*$line$/s", $said);
        }
    }

    /** @return array{int, string} what it returns, and prints */
    private function check(mixed ...$arguments): array
    {
        ob_start();
        try {
            return [Converse::check(...$arguments), (string) ob_get_contents()];
        } finally {
            ob_end_clean();
        }
    }
}

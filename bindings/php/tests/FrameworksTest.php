<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** The recipes of sites.md, in the frameworks as Debian has them. */
final class FrameworksTest extends TestCase
{
    private const KEY = '{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}';

    private string $folder;

    protected function setUp(): void
    {
        $this->folder = sys_get_temp_dir() . '/framework-' . bin2hex(random_bytes(8));
        mkdir($this->folder);
    }

    protected function tearDown(): void
    {
        exec('rm -r ' . escapeshellarg($this->folder));
    }

    public function testSymfony(): void
    {
        [$stranger, $user, $page, $claimant, $staff, $seen, $kept, $asked] = $this->follow('Symfony', 'alice');
        $this->check($stranger, $user, $kept);
        self::assertSame([401, '{"kind":"NotLoggedIn","retry":"no"}'], [$claimant[0], $claimant[2]]);
        self::assertSame([403, '{"kind":"NoChat","retry":"no"}'], [$staff[0], $staff[2]]);
        self::assertSame(200, $seen[0]);
        self::assertStringContainsString('>null</script>', $seen[2]);
        self::assertSame(200, $page[0]);
        self::assertStringContainsString('"jid":"alice@localhost"', $page[2]);
        $this->checkAsked($asked);
    }

    public function testLaravel(): void
    {
        [$stranger, $user, $kept, $staff, $asked] = $this->follow('Laravel', 'alice');
        $this->check($stranger, $user, $kept);
        $this->checkAsked($asked);
        self::assertSame([403, '{"kind":"NoChat","retry":"no"}'], [$staff[0], $staff[2]]);
    }

    public function testWordPress(): void
    {
        [$stranger, $user, $page, $kept] = $this->follow('WordPress');
        $this->check($stranger, $user, $kept);
        self::assertStringContainsString('"jid":"alice@localhost"', $page[2]);
        self::assertStringContainsString('src="/prebind?script=', $page[2]);
    }

    public function testALoginHoldsNoSessionOfSymfony(): void
    {
        $recipe = $this->recipe('Symfony');
        $said = $this->withoutLock([__DIR__ . '/frameworks/symfony.php', $recipe, $this->folder, '-session']);
        [$status, $cache, $body] = json_decode($said, true);
        self::assertSame([503, '{"kind":"Http","retry":"after-config-change"}'], [$status, $body]);
        self::assertStringContainsString('no-store', $cache);
    }

    public function testALoginHoldsNoSessionOfPhp(): void
    {
        file_put_contents("$this->folder/page.php", <<<'PHP'
            <?php
            session_start();
            $credentials = function () {
                $_SESSION['asked'] = true;
                return ['password' => 'x'];
            };
            $asked = ['REQUEST_METHOD' => 'GET', 'HTTP_SEC_FETCH_SITE' => 'same-origin'];
            echo Prebind\Converse::answer('alice@localhost', $credentials, null, null, $asked, [])->body;
            PHP);
        $said = $this->withoutLock(["$this->folder/page.php"], $session);
        self::assertSame('{"kind":"Http","retry":"after-config-change"}', $said);
        self::assertSame('asked|b:1;', $session);
    }

    /**
     * Runs a script that logs in, and sees that others get the lock of its session while it waits for the chat server.
     *
     * @param list<string> $script
     * @param ?string $session what is in the session then
     *
     * @return string what it prints
     */
    private function withoutLock(array $script, ?string &$session = null): string
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $url = 'http://' . stream_socket_get_name($server, false) . '/';
        [$process, $pipes] = $this->start($url, $script);
        $asked = stream_socket_accept($server, 60);
        self::assertNotFalse($asked, 'it does not log in');
        [$file] = glob("$this->folder/sess_*");
        $lock = fopen($file, 'r');
        $isFree = flock($lock, LOCK_EX | LOCK_NB);
        $session = stream_get_contents($lock);
        fclose($lock);
        fread($asked, 8192);
        fwrite($asked, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        $output = stream_get_contents($pipes[1]);
        proc_close($process);
        self::assertTrue($isFree, 'the session is locked');
        return $output;
    }

    /**
     * @param list<array{int, string}> $answers to whether alice and nobody exist, to a token twice, and to a
     *     question without the secret
     */
    private function checkAsked(array $answers): void
    {
        [$yes, $no] = [[200, '{"ok":true}'], [200, '{"ok":false}']];
        self::assertSame([$yes, $no, $yes, $no, [403, '{"ok":false}']], $answers);
    }

    /**
     * @param array{int, ?string, string} $stranger
     * @param array{int, ?string, string} $user
     * @param mixed $kept what is in the framework's cache
     */
    private function check(array $stranger, array $user, mixed $kept): void
    {
        self::assertSame([401, '{"kind":"NotLoggedIn","retry":"no"}'], [$stranger[0], $stranger[2]]);
        self::assertSame(200, $user[0], $user[2]);
        self::assertStringContainsString('no-store', $user[1] ?? 'no-store');
        $session = json_decode($user[2], true);
        self::assertSame('alice@localhost/a-1', $session['jid']);
        $prosody = Real::of('prosody');
        $prosody->client()->terminate(sid: $session['sid'], rid: $session['rid']);
        // A client that is told it needs not learn it.
        $client = new Prebind\Client($prosody->described['http_url'], profile: $kept, relearn_after: 700, cache: [fn () => null, fn () => null]);
        self::assertSame($kept, $client->profile());
    }

    /** @return list<mixed> status, Cache-Control and body of what was asked for, and what is in the cache */
    private function follow(string $framework, ?string $user = null): array
    {
        $url = Real::of('prosody')->described['http_url'];
        $key = 'prebind.profile.' . sha1($url);
        $script = [__DIR__ . '/frameworks/' . strtolower($framework) . '.php', $this->recipe($framework), $this->folder, $key];
        if ($user !== null) {
            $jwt = new Prebind\Jwt(self::KEY, once: true);
            $login = ['command' => 'auth', 'user' => $user, 'host' => 'localhost', 'password' => $jwt->issue("$user@localhost")];
            $exists = static fn (string $user): array => ['command' => 'isuser', 'user' => $user, 'host' => 'localhost'];
            $questions = array_map(json_encode(...), [$exists($user), $exists('nobody'), $login, $login]);
            array_push($script, $this->recipe($framework, 1), ...$questions);
        }
        [$process, $pipes] = $this->start($url, $script);
        $output = stream_get_contents($pipes[1]);
        $errors = stream_get_contents($pipes[2]);
        proc_close($process);
        return json_decode($output, true) ?? self::fail("$output\n$errors");
    }

    /** The file with what sites.md has for a framework. */
    private function recipe(string $framework, int $index = 0): string
    {
        $section = explode("\n## ", explode("\n## $framework\n", (string) file_get_contents(__DIR__ . '/../sites.md'))[1])[0];
        self::assertGreaterThan($index, preg_match_all('/^```php\n(.*?)^```/ms', $section, $match));
        $recipe = "$this->folder/recipe$index.php";
        file_put_contents($recipe, str_replace('example.org', 'localhost', $match[1][$index]));
        return $recipe;
    }

    /**
     * @param list<string> $script
     *
     * @return array{resource, array<resource>} the process and its pipes
     */
    private function start(string $url, array $script): array
    {
        $command = ['env', 'PREBIND_PASSWORD=' . Real::of('prosody')->password('alice'),
            'CHAT_SECRET=from-the-chat-server', 'CHAT_KEY=' . self::KEY, PHP_BINARY, '-d', 'apc.enable_cli=1',
            '-d', 'extension=' . getenv('PREBIND_EXTENSION'), '-d', "prebind.url=$url", '-d', "session.save_path=$this->folder",
            '-d', 'error_reporting=' . (E_ALL & ~E_DEPRECATED), '-d', 'display_errors=stderr', ...$script];
        return [proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes), $pipes];
    }
}

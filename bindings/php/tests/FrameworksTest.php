<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** The recipes of sites.md, in the frameworks as Debian has them. */
final class FrameworksTest extends TestCase
{
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
        [$stranger, $user, $page, $claimant, $kept] = $this->follow('Symfony');
        $this->check($stranger, $user, $kept);
        self::assertSame([401, '{"kind":"NotLoggedIn","retry":"no"}'], [$claimant[0], $claimant[2]]);
        self::assertSame(200, $page[0]);
        self::assertStringContainsString('"jid":"alice@localhost"', $page[2]);
    }

    public function testLaravel(): void
    {
        $this->check(...$this->follow('Laravel'));
    }

    public function testWordPress(): void
    {
        [$stranger, $user, $page, $kept] = $this->follow('WordPress');
        $this->check($stranger, $user, $kept);
        self::assertStringContainsString('"jid":"alice@localhost"', $page[2]);
        self::assertStringContainsString('src="/prebind?script=', $page[2]);
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
    private function follow(string $framework): array
    {
        $prosody = Real::of('prosody');
        $section = explode("\n## ", explode("\n## $framework\n", (string) file_get_contents(__DIR__ . '/../sites.md'))[1])[0];
        self::assertSame(1, preg_match('/^```php\n(.*?)^```/ms', $section, $match));
        $recipe = "$this->folder/recipe.php";
        file_put_contents($recipe, str_replace('example.org', 'localhost', $match[1]));
        $command = ['env', 'PREBIND_PASSWORD=' . $prosody->password('alice'), PHP_BINARY,
            '-d', 'extension=' . getenv('PREBIND_EXTENSION'), '-d', "prebind.url={$prosody->described['http_url']}",
            '-d', 'error_reporting=' . (E_ALL & ~E_DEPRECATED), '-d', 'display_errors=stderr',
            __DIR__ . '/frameworks/' . strtolower($framework) . '.php', $recipe, $this->folder,
            'prebind.profile.' . sha1($prosody->described['http_url'])];
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes);
        $output = stream_get_contents($pipes[1]);
        $errors = stream_get_contents($pipes[2]);
        proc_close($process);
        return json_decode($output, true) ?? self::fail("$output\n$errors");
    }
}

<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What is in the extension, and what it does not give away. */
final class PackageTest extends TestCase
{
    public function testTheStubsAreTrue(): void
    {
        $stubs = __DIR__ . '/../stubs';
        self::assertSame(shell_exec(PHP_BINARY . " $stubs/generate"), file_get_contents("$stubs/prebind.php"));
        exec(PHP_BINARY . " -n -l $stubs/prebind.php", $output, $status);
        self::assertSame(0, $status, implode("\n", $output));
    }

    public function testPhpinfoSaysWhatItIs(): void
    {
        $version = preg_match('/^version = "(.*)"/m', (string) file_get_contents(ROOT . '/Cargo.toml'), $match) ? $match[1] : '';
        self::assertSame($version, phpversion('prebind'));
        ob_start();
        (new ReflectionExtension('prebind'))->info();
        $info = (string) ob_get_clean();
        foreach (["Version => $version", 'TLS => rustls', 'SCRAM-SHA-256', 'prebind.timeout'] as $said) {
            self::assertStringContainsString($said, $info);
        }
    }

    public function testThereIsAnArgumentForEachOptionOfTheCore(): void
    {
        preg_match_all('/^    pub (\w+):/m', explode('impl Config', (string) file_get_contents(ROOT . '/core/src/config.rs'))[0], $match);
        $parameters = (new ReflectionMethod(Prebind\Client::class, '__construct'))->getParameters();
        self::assertSame($match[1], array_map(static fn ($parameter) => $parameter->name, $parameters));
    }

    public function testThereIsAClassForEachKind(): void
    {
        $named = explode('pub fn name(&self)', (string) file_get_contents(ROOT . '/core/src/error.rs'))[1];
        preg_match_all('/=> "(\w+)"/', explode('}', $named, 3)[0] . explode('impl Error', $named)[0], $match);
        $kinds = array_unique($match[1]);
        self::assertCount(11, $kinds);
        foreach ($kinds as $kind) {
            $class = "Prebind\\{$kind}Exception";
            $error = new $class('why', stage: 'bind');
            self::assertInstanceOf(Prebind\Exception::class, $error);
            self::assertSame([$kind, 'why', 'bind', 'no', null, __LINE__ - 2, __FILE__], [
                $error->kind, $error->getMessage(), $error->stage, $error->retry, $error->condition,
                $error->getLine(), $error->getFile(),
            ]);
        }
    }

    public function testASessionShowsNoSecret(): void
    {
        $session = new Prebind\Session('alice@localhost/1', 'the-sid', 4711);
        self::assertSame('{"jid":"alice@localhost\/1","sid":"the-sid","rid":4711}', json_encode($session));
        self::assertSame(4710, $session->lastRid);
        $shown = print_r($session, true);
        self::assertStringContainsString('alice@localhost', $shown);
        self::assertDoesNotMatchRegularExpression('/the-sid|471[01]/', $shown);
        $this->expectException(LogicException::class);
        serialize($session);
    }

    public function testASessionCannotBeChanged(): void
    {
        $session = new Prebind\Session('alice@localhost/1', 'the-sid', 4711);
        $this->expectExceptionMessage('readonly');
        $session->rid = 1;
    }

    public function testAClientShowsNoSecret(): void
    {
        $client = new Prebind\Client('https://chat.example.org/http-bind', headers: ['Authorization' => 'hunter2']);
        self::assertStringNotContainsString('hunter2', print_r($client, true));
        $this->expectException(LogicException::class);
        serialize($client);
    }

    /** @return iterable<array{callable(): mixed}> */
    public static function refused(): iterable
    {
        $url = 'http://127.0.0.1:9/';
        yield [static fn () => prebind($url, 'a@b', 'hunter2', ['proxy' => 'http://hunter2@b/', 'floor' => 'x'])];
        yield [static fn () => prebind($url, 'a@b', 'hunter2', ['fail_fast_after' => 0])];
        yield [static fn () => new Prebind\Client($url, headers: ['a' => 'hunter2'], floor: 'x')];
        yield [static fn () => (new Prebind\Client($url))->prebind('a@b', token: 'hunter2', password: 'hunter2')];
        yield [static fn () => (new Prebind\Client($url))->terminate(sid: "hunter2\0", rid: 1)];
    }

    /** @dataProvider refused */
    public function testNoStackTraceShowsASecret(callable $call): void
    {
        self::assertSame('0', ini_get('zend.exception_ignore_args'));
        try {
            $call();
        } catch (Prebind\Exception $error) {
            self::assertSame(__FILE__, $error->getFile());
            // Those of the extension and the call itself, without PHPUnit's.
            $frames = array_slice($error->getTrace(), 0, 4);
            $frames = array_filter($frames, static fn ($frame) => !is_a($frame['class'] ?? '', TestCase::class, true));
            self::assertStringNotContainsString('hunter2', "$error" . print_r($frames, true));
            return;
        }
        self::fail('it succeeded');
    }

    public function testPhpIniHasDefaults(): void
    {
        $code = 'try { new Prebind\Client(); echo "fine"; } catch (Prebind\ConfigException $e) { echo $e->field; }';
        self::assertSame('url', php($code)[1]);
        self::assertSame('fine', php($code, '-d', 'prebind.url=https://chat.example.org/http-bind')[1]);
        foreach (['timeout=-1' => 'deadline', 'timeout=x' => 'deadline', 'floor=x' => 'floor'] as $set => $field) {
            self::assertSame($field, php($code, '-d', 'prebind.url=https://a/', '-d', "prebind.$set")[1]);
        }
    }

    public function testOtherArgumentsAreErrorsOfPhp(): void
    {
        foreach ([['deadlin' => 3], ['wait' => []], ['headers' => 'x']] as $options) {
            try {
                prebind('https://a/', 'a@b', 'secret', $options);
                self::fail('it succeeded');
            } catch (Error $error) {
                self::assertMatchesRegularExpression('/Unknown named parameter|must be of type/', $error->getMessage());
            }
        }
        $this->expectException(ArgumentCountError::class);
        (new Prebind\Client('https://a/'))->terminate(sid: 'x');
    }

    public function testAUsersNameBecomesAJid(): void
    {
        self::assertSame('jo\20doe@example.org', Prebind\jid_from_user('Jo Doe', 'example.org'));
        $this->expectException(Prebind\ConfigException::class);
        Prebind\jid_from_user('', 'example.org');
    }

    public function testNonsenseNeverPanics(): void
    {
        mt_srand(6120);
        $alphabet = mb_str_split("a@/.:\\ '\"&<>\0\n\x7f\u{ad}\u{660}\u{200b}\u{fb01}\u{1f600}İß%[]é");
        $alphabet[] = "\xff";
        $client = new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 1, fail_fast_for: 60);
        $kinds = [];
        for ($i = 0; $i < 2000; $i++) {
            $text = implode('', array_map(static fn () => $alphabet[mt_rand(0, count($alphabet) - 1)], range(0, mt_rand(0, 11))));
            foreach ([
                static fn () => Prebind\jid_from_user($text, 'example.org'),
                static fn () => Prebind\jid_from_user('alice', $text),
                static fn () => $client->prebind($text, 'secret'),
                static fn () => $client->prebind('alice@example.org', $text),
                static fn () => new Prebind\Client($text),
                static fn () => $client->terminate(sid: $text, rid: 1),
            ] as $call) {
                try {
                    $call();
                } catch (Prebind\Exception $error) {
                    $kinds[$error->kind] = true;
                } catch (TypeError) {
                    $kinds['TypeError'] = true;
                }
            }
        }
        self::assertArrayHasKey('Config', $kinds);
        self::assertArrayHasKey('Timeout', $kinds);
        self::assertArrayNotHasKey('Internal', $kinds);
    }
}

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
        foreach (["Version => $version", 'TLS => rustls', 'SCRAM-SHA-256', 'prebind.deadline'] as $said) {
            self::assertStringContainsString($said, $info);
        }
    }

    public function testThereIsAClassForEachKind(): void
    {
        $kinds = schema()['errors'];
        self::assertContains('Config', $kinds);
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

    public function testAnAnswerMayHaveMore(): void
    {
        $session = new Prebind\Session('alice@localhost/1', 'the-sid', 7, inactivity: 60, wait: 55);
        $extras = ['last_rid' => 6, 'wait' => 55, 'inactivity' => 60];
        self::assertSame(schema()['extras'], array_keys($extras));
        self::assertSame($session->jsonSerialize() + $extras, $session->toArray(...array_keys($extras)));
        $this->expectExceptionMessage("\$extras: no value 'sid2'; there are only last_rid, wait, inactivity");
        $session->toArray('sid2');
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

    /** @return iterable<array{0: callable(): mixed, 1?: string}> what is called, and the field that is refused */
    public static function refused(): iterable
    {
        $url = 'http://127.0.0.1:9/';
        yield [static fn () => prebind($url, 'a@b', 'hunter2', ['proxy' => 'http://hunter2@b/', 'weakest_mechanism' => 'x'])];
        yield [static fn () => prebind($url, 'a@b', 'hunter2', ['fail_fast_after' => 0])];
        yield [static fn () => new Prebind\Client($url, headers: ['a' => 'hunter2'], weakest_mechanism: 'x'), 'weakest_mechanism'];
        yield [static fn () => (new Prebind\Client($url))->prebind('a@b', token: 'hunter2', password: 'hunter2')];
        yield [static fn () => (new Prebind\Client($url))->terminate(sid: "hunter2\0", rid: 1)];
        // What is not UTF-8.
        yield [static fn () => prebind($url, "\xff@b", 'hunter2'), 'jid'];
        yield [static fn () => prebind($url, 'a@b', "hunter2\xff"), 'password'];
        yield [static fn () => new Prebind\Client("http://\xff/", headers: ['a' => 'hunter2']), 'url'];
        yield [static fn () => new Prebind\Client($url, headers: ["hunter2\xff" => 'x']), 'headers'];
        yield [static fn () => (new Prebind\Client($url))->prebind('a@b', scram_keys: ["hunter2\xff" => 'x']), 'scram_keys'];
        yield [static fn () => (new Prebind\Client($url))->terminate(sid: "hunter2\xff", rid: 5), 'sid'];
        yield [static fn () => Prebind\jid_from_user("\xff", 'example.org'), 'jid'];
        yield [static fn () => Prebind\jid_from_user('alice', "\xff"), 'jid'];
        // What has no end.
        $circle = ['a' => 'hunter2'];
        $circle['b'] = &$circle;
        yield [static fn () => new Prebind\Client($url, headers: $circle), 'headers'];
        yield [static fn () => (new Prebind\Client($url))->prebind('a@b', scram_keys: $circle), 'scram_keys'];
    }

    /** @dataProvider refused */
    public function testNoStackTraceShowsASecret(callable $call, ?string $field = null): void
    {
        self::assertSame('0', ini_get('zend.exception_ignore_args'));
        try {
            $call();
        } catch (Prebind\Exception $error) {
            self::assertSame(__FILE__, $error->getFile());
            self::assertSame($field, $field === null ? null : $error->field);
            $frames = [];
            foreach ($error->getTrace() as $frame) {
                if (is_a($frame['class'] ?? '', TestCase::class, true) && $frame['function'] === __FUNCTION__) {
                    break;
                }
                $frames[] = $frame;
            }
            self::assertNotEmpty($frames);
            self::assertStringNotContainsString('hunter2', "$error" . print_r($frames, true));
            return;
        }
        self::fail('it succeeded');
    }

    public function testWhatIsGivenByReferenceIsNotHeld(): void
    {
        $value = 'x';
        $client = new Prebind\Client('http://127.0.0.1:9/', headers: ['a' => &$value]);
        $value = [];
        $value[] = &$value;
        self::assertNotSame('', $client->profile());
    }

    public function testAPanicIsAnException(): void
    {
        [$status, $output, $errors] = php(<<<'PHP'
            $hidden = (new ReflectionClass(Prebind\Native\Hidden::class))->newInstanceWithoutConstructor();
            Closure::bind(function () { $this->values = ['headers' => ["\xff" => 'hunter2']]; }, $hidden, $hidden::class)();
            try { Prebind\Native\Call::answer(fn () => prebind_native_client('http://127.0.0.1:9/', $hidden)); }
            catch (Prebind\InternalException $error) { echo $error->getMessage(), var_export($error->getPrevious()); }
            echo ' ', Prebind\jid_from_user('and it goes on', 'localhost');
            PHP);
        self::assertStringContainsString('panicked', $errors);
        self::assertSame([0, 'a defect in prebind itself: report it with what the log saysNULL and\20it\20goes\20on@localhost'], [$status, $output]);
    }

    public function testPhpIniHasDefaults(): void
    {
        $code = 'try { new Prebind\Client(); echo "fine"; } catch (Prebind\ConfigException $e) { echo $e->field; }';
        self::assertSame('url', php($code)[1]);
        self::assertSame('fine', php($code, '-d', 'prebind.url=https://chat.example.org/http-bind')[1]);
        foreach (['deadline=-1' => 'deadline', 'deadline=x' => 'deadline', 'weakest_mechanism=x' => 'weakest_mechanism'] as $set => $field) {
            self::assertSame($field, php($code, '-d', 'prebind.url=https://a/', '-d', "prebind.$set")[1]);
        }
    }

    public function testPhpIniHasASettingForEachOptionThatALineCanSay(): void
    {
        $settings = array_keys(ini_get_all('prebind', false));
        foreach (schema()['options'] as ['name' => $name, 'type' => $type]) {
            $isLine = !in_array($type, ['headers', 'pem', 'certificate', 'record'], true) && !in_array($name, ['proxy', 'profile'], true);
            $setting = "prebind.$name";
            self::assertSame($isLine, in_array($setting, $settings, true), $name);
            if (!$isLine) {
                continue;
            }
            // Each reaches the library by its own name.
            $wrong = ['text' => 'x', 'choice' => 'x', 'flag' => 'perhaps'][$type] ?? '-1';
            $code = 'try { new Prebind\Client("http://127.0.0.1:9/"); echo "fine"; }
                catch (Prebind\ConfigException $e) { echo $e->field; }';
            self::assertSame($type === 'text' ? 'fine' : $name, php($code, '-d', "$setting=$wrong")[1], $setting);
        }
    }

    public function testAFlagOfPhpIniMayBeOff(): void
    {
        $code = '$name = "ini_get"; echo json_encode($name("prebind.learn"));
            (new Prebind\Client("http://127.0.0.1:9/")); echo " fine";';
        foreach (['On' => '"1" fine', 'Off' => '"" fine'] as $set => $said) {
            self::assertSame($said, php($code, '-d', "prebind.learn=$set")[1]);
        }
        self::assertSame('"1" fine', php($code)[1]);
    }

    public function testASettingThatIsMisspeltIsTold(): void
    {
        $file = tempnam(sys_get_temp_dir(), 'ini');
        file_put_contents($file, "prebind.timeout = 3\n[HOST=a]\nprebind.lerarn = Off\nprebind.url = http://127.0.0.1:9/\n");
        $code = 'Prebind\doctor("alice@localhost", fn () => ["password" => "x"]);';
        $said = php($code, '-c', $file)[1];
        unlink($file);
        self::assertStringContainsString("error: $file: no setting 'prebind.lerarn'; did you mean prebind.learn? (", $said);
        self::assertStringContainsString("error: $file: no setting 'prebind.timeout'; there are only prebind.", $said);
        self::assertStringNotContainsString("'prebind.url'", $said);
    }

    public function testTheTimeoutOfPhpIniHoldsUnlessAnotherIsGiven(): void
    {
        $server = new Faulty('serve', 'no-headers');
        $code = sprintf('$start = hrtime(true) / 1e9;
            try { (new Prebind\Client(%s, ca: %s, deadline: %%s, request_timeout: 60))->prebind("alice@localhost", "x"); }
            catch (Prebind\TimeoutException) { echo hrtime(true) / 1e9 - $start; }', var_export($server->url, true), var_export($server->ca, true));
        // Far from what holds otherwise, so that a busy machine is not taken for that.
        foreach ([['null', '0.3', 0.3], ['1.2', '0.3', 1.2], ['0.3', '60', 0.3]] as [$deadline, $ini, $seconds]) {
            $took = (float) php(sprintf($code, $deadline), '-d', "prebind.deadline=$ini")[1];
            // Some of it is kept for ending a session.
            self::assertGreaterThan(0.7 * $seconds, $took);
            self::assertLessThan($seconds + 4, $took);
        }
        $server->end();
    }

    public function testWhatTheCacheHasIsLeftOutIfItIsOfNoUse(): void
    {
        $url = 'http://127.0.0.1:9/';
        $fresh = (new Prebind\Client($url))->profile();
        foreach (["\xff", 5, ['x'], false, 'nonsense'] as $i => $kept) {
            $cache = [static fn () => $kept, static fn () => null];
            self::assertSame($fresh, (new Prebind\Client($url, cache: $cache, relearn_after: 1 + $i))->profile());
        }
        self::assertTrue(apcu_store('prebind.profile.' . sha1($url), "\xff"));
        self::assertSame($fresh, (new Prebind\Client($url, relearn_after: 10))->profile());
        apcu_delete('prebind.profile.' . sha1($url));
    }

    public function testItLoadsWhereAutoloadersAreForbidden(): void
    {
        $code = 'echo get_class(new Prebind\Client("https://a/")), " ", Prebind\jid_from_user("a", "b");';
        self::assertSame([0, 'Prebind\Client a@b', ''], php($code, '-d', 'disable_functions=spl_autoload_register'));
    }

    public function testThePackagesSayWhatTheyAre(): void
    {
        $read = static fn (string $file) => json_decode((string) file_get_contents(__DIR__ . "/$file"), true);
        $extension = $read('../../../composer.json');
        self::assertSame(
            ['prebind/prebind', 'php-ext', ['php' => '>=8.1']],
            [$extension['name'], $extension['type'], $extension['require']],
        );
        self::assertSame(
            [
                'extension-name' => 'prebind',
                'build-path' => 'bindings/php',
                'download-url-method' => ['pre-packaged-source', 'composer-default'],
                'support-zts' => true,
                'support-nts' => true,
                'os-families' => ['linux'],
            ],
            array_diff_key($extension['php-ext'], ['priority' => 1]),
        );
        $files = $read('../composer.json');
        self::assertSame(
            ['prebind/php', 'library', ['php' => '>=8.1', 'ext-prebind' => '*']],
            [$files['name'], $files['type'], $files['require']],
        );
        foreach ($files['autoload']['classmap'] as $folder) {
            self::assertDirectoryExists(__DIR__ . "/../$folder");
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
                }
            }
        }
        self::assertArrayHasKey('Config', $kinds);
        self::assertArrayHasKey('Timeout', $kinds);
        self::assertArrayNotHasKey('Internal', $kinds);
    }
}

<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Prebind\Native\Call;
use Prebind\Native\Hidden;

/** What a chat server asks, and what it is answered: tests/vectors/web-asked.json, and by what the site has. */
final class ChatLoginTest extends TestCase
{
    private const SECRET = 'chat-server-to-site';

    protected function setUp(): void
    {
        forget_cache();
    }

    /** @return array<string, mixed> */
    private static function file(): array
    {
        return json_decode((string) file_get_contents(ROOT . '/tests/vectors/web-asked.json'), true, flags: JSON_THROW_ON_ERROR);
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    private static function rows(string $list): iterable
    {
        foreach (self::file()[$list] as $row) {
            yield $row['name'] => [$row];
        }
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function questions(): iterable
    {
        return self::rows('questions');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function floods(): iterable
    {
        return self::rows('floods');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function refusedSettings(): iterable
    {
        return self::rows('settings_refused');
    }

    /** @param array<string, mixed> $row */
    private static function asked(array $row): Prebind\Native\Asked
    {
        $file = self::file();
        $settings = ($row['settings'] ?? []) + $file['settings'];
        if (isset($row['addresses'])) {
            $settings['addresses'] = $row['addresses'];
        }
        $inquiry = ($row['inquiry'] ?? []) + $file['inquiry'];
        return Call::answer(static fn () => prebind_native_asked(new Hidden($settings), new Hidden($inquiry), $row['now'] ?? $file['now']));
    }

    /**
     * @dataProvider questions
     *
     * @param array<string, mixed> $row
     */
    public function testAQuestion(array $row): void
    {
        $answers = self::file()['answers'];
        $asked = self::asked($row);
        $next = prebind_native_asked_next($asked);
        $name = array_shift($next);
        self::assertSame($row['next'], $next === [] ? $name : [$name => $next]);
        self::assertEquals($answers[$row['answer']], prebind_native_asked_answer($asked, false, null));
        $form = strtok($row['answer'], '-');
        $yes = $name === 'refuse' ? $row['answer'] : "$form-yes";
        self::assertEquals($answers[$yes], prebind_native_asked_answer($asked, true, null));
        self::assertEquals($answers["$form-broken"], prebind_native_asked_broken($asked));
        self::assertSame(isset($row['refusal']), prebind_native_asked_counter($asked, false) !== null);
        if (isset($row['complaint'])) {
            self::assertSame($row['complaint'], prebind_native_asked_complaint($asked, false, null));
        }
    }

    /**
     * @dataProvider floods
     *
     * @param array<string, mixed> $row
     */
    public function testAFlood(array $row): void
    {
        $asked = self::asked($row);
        self::assertEquals(self::file()['answers'][$row['answer']], prebind_native_asked_answer($asked, false, $row['count']));
        self::assertSame($row['complaint'], prebind_native_asked_complaint($asked, false, $row['count']));
        self::assertSame($row['counter'], prebind_native_asked_counter($asked, false));
    }

    /**
     * @dataProvider refusedSettings
     *
     * @param array<string, mixed> $row
     */
    public function testASettingThatCannotWork(array $row): void
    {
        try {
            self::asked($row);
            self::fail('it can work');
        } catch (Prebind\ConfigException $error) {
            self::assertSame($row['field'], $error->field);
        }
    }

    public function testATokenIsGoodOnceWhereApcuIs(): void
    {
        $question = self::login(self::jwt()->issue('alice@localhost'));
        self::assertSame('{"ok":true}', self::answer($question)->body);
        self::assertSame(['{"ok":false}', 200], [self::answer($question)->body, self::answer($question)->status]);
        self::assertStringContainsString('the token was used before', self::$log);
    }

    public function testATokenIsGoodOnceByTheSitesOwnCache(): void
    {
        $question = self::login(self::jwt()->issue('alice@localhost'));
        $kept = [];
        $add = static function (string $key, int $seconds) use (&$kept): bool {
            self::assertGreaterThan(60, $seconds);
            $isNew = !isset($kept[$key]);
            $kept[$key] = true;
            return $isNew;
        };
        $bodies = [self::answer($question, add: $add)->body, self::answer($question, add: $add)->body];
        self::assertSame(['{"ok":true}', '{"ok":false}'], $bodies);
    }

    public function testACacheThatIsAwayKeepsNobodyOut(): void
    {
        $fails = static fn () => throw new RuntimeException('hidden-7');
        self::assertSame('{"ok":true}', self::answer(self::login(self::jwt()->issue('alice@localhost')), add: $fails)->body);
        self::assertStringContainsString('the cache failed (whether a token was used before)', self::$log);
        self::assertStringNotContainsString('hidden-7', self::$log);
        forget_cache();
        self::assertSame([200, '{"ok":false}'], [($answer = self::answer(self::login('wrong'), count: $fails))->status, $answer->body]);
        self::assertStringContainsString('the cache failed (how many questions were refused)', self::$log);
        forget_cache();
    }

    public function testASiteThatFailsGivesNoAnswer(): void
    {
        $fails = static fn () => throw new RuntimeException('hidden-7');
        $answer = self::answer(['command' => 'isuser', 'user' => 'alice', 'host' => 'localhost'], exists: $fails);
        self::assertSame(500, $answer->status);
        self::assertStringContainsString('the chat server gets no answer: RuntimeException in ', self::$log);
        self::assertStringNotContainsString('hidden-7', self::$log);
    }

    public function testTheSiteSaysWhoExists(): void
    {
        $seen = [];
        $exists = static function (string $user, string $jid) use (&$seen): bool {
            $seen[] = [$user, $jid];
            return $user === 'alice smith';
        };
        $ask = static fn (string $user) => self::answer(['command' => 'isuser', 'user' => $user, 'host' => 'localhost'], exists: $exists)->body;
        self::assertSame(['{"ok":true}', '{"ok":false}'], [$ask('alice\\20smith'), $ask('bob')]);
        self::assertSame([['alice smith', 'alice\\20smith@localhost'], ['bob', 'bob@localhost']], $seen);
    }

    public function testWrongSecretsAndForeignAddressesAreRefused(): void
    {
        $question = self::login(self::jwt()->issue('alice@localhost'));
        foreach ([
            ['HTTP_AUTHORIZATION' => 'Bearer chat-server-to-sit3'],
            ['HTTP_AUTHORIZATION' => ''],
            ['REMOTE_ADDR' => '192.0.2.1'],
            ['HTTP_X_FORWARDED_FOR' => '192.0.2.1'],
        ] as $other) {
            self::assertSame(403, self::answer($question, $other)->status, key($other));
        }
        $elsewhere = ['HTTP_AUTHORIZATION' => null, 'REDIRECT_HTTP_AUTHORIZATION' => 'Bearer ' . self::SECRET, 'REMOTE_ADDR' => '192.0.2.1'];
        self::assertSame('{"ok":true}', self::answer($question, $elsewhere, addresses: ['192.0.2.0/24'])->body);
    }

    public function testAFloodOfWrongTokensIsToldSo(): void
    {
        $count = static fn (string $key, int $seconds): int => 101;
        $answer = self::answer(self::login('wrong'), count: $count);
        self::assertSame(429, $answer->status);
        self::assertStringContainsString('the next ones are not logged', self::$log);
        // By APCu.
        $place = ['REMOTE_ADDR' => '127.0.0.' . random_int(2, 250)];
        $statuses = [];
        for ($asked = 0; $asked < 300; $asked++) {
            $statuses[] = self::answer(self::login('wrong'), $place)->status;
        }
        self::assertSame([200, 429], array_values(array_unique($statuses)));
        self::assertSame('{"ok":true}', self::answer(self::login(self::jwt()->issue('alice@localhost')), $place)->body);
    }

    public function testTheFormOfMongooseIM(): void
    {
        $query = http_build_query(['user' => 'alice', 'server' => 'localhost', 'pass' => self::jwt()->issue('alice@localhost')]);
        $server = ['REQUEST_METHOD' => 'GET', 'REQUEST_URI' => "/chat-login/check_password?$query"];
        $answer = self::answer([], $server);
        self::assertSame(['true', '4'], [$answer->body, $answer->headers['Content-Length']]);
    }

    public function testASettingThatCannotWorkIsLogged(): void
    {
        $answer = self::answer(self::login('x'), addresses: ['chat.example.org']);
        self::assertSame(503, $answer->status);
        self::assertStringContainsString('addresses: ', self::$log);
    }

    private static string $log = '';

    private static function jwt(): Prebind\Jwt
    {
        return new Prebind\Jwt('a secret that has 32 bytes, or more', 'HS256', once: true);
    }

    /** @return array<string, string> */
    private static function login(string $token): array
    {
        return ['command' => 'auth', 'user' => 'alice', 'host' => 'localhost', 'password' => $token];
    }

    /**
     * @param array<string, string> $question
     * @param array<string, ?string> $server
     */
    private static function answer(array $question, array $server = [], mixed ...$more): Prebind\Answer
    {
        $server += [
            'REQUEST_METHOD' => 'POST',
            'REQUEST_URI' => '/chat-login',
            'REMOTE_ADDR' => '127.0.0.1',
            'HTTP_AUTHORIZATION' => 'Bearer ' . self::SECRET,
        ];
        $more += ['exists' => static fn () => false, 'server' => $server, 'body' => (string) json_encode($question)];
        $log = (string) tempnam(sys_get_temp_dir(), 'log');
        $before = ini_set('error_log', $log);
        try {
            return Prebind\ChatLogin::answer(self::SECRET, self::jwt(), ...$more);
        } finally {
            ini_set('error_log', (string) $before);
            self::$log = (string) file_get_contents($log);
            unlink($log);
        }
    }
}

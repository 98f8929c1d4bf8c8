<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Prebind\Native\Call;
use Prebind\Native\Hidden;

/** The rules of a site's endpoint, as tests/vectors/web-*.json have them. */
final class WebTest extends TestCase
{
    /** @return array<string, mixed> */
    private static function vectors(string $name): array
    {
        return json_decode((string) file_get_contents(ROOT . "/tests/vectors/web-$name.json"), true, flags: JSON_THROW_ON_ERROR);
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    private static function rows(string $file, string $list): iterable
    {
        foreach (self::vectors($file)[$list] as $index => $row) {
            yield $row['name'] ?? "$list $index" => [$row];
        }
    }

    public function testACacheThatIsAwayIsLeftAlone(): void
    {
        ['question' => $question, 'questions' => $rows] = self::vectors('cache');
        forget_cache();
        foreach ($rows as ['name' => $name, 'asked' => $asked, 'answered' => $answered, 'failure' => $failure, 'said' => $said]) {
            self::assertSame($answered !== null, prebind_native_web_cache_is_asked($asked), $name);
            if ($answered !== null) {
                self::assertSame($said, prebind_native_web_cache_answered($asked, $answered, $question, $failure), $name);
            }
        }
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function requests(): iterable
    {
        return self::rows('requests', 'requests');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function answers(): iterable
    {
        return self::rows('answers', 'answers');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function cookies(): iterable
    {
        return self::rows('cookies', 'rows');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function pages(): iterable
    {
        return self::rows('pages', 'pages');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function reserved(): iterable
    {
        return self::rows('pages', 'reserved');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function impossible(): iterable
    {
        return self::rows('pages', 'refused');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function values(): iterable
    {
        return self::rows('given', 'values');
    }

    /**
     * @dataProvider values
     *
     * @param array<string, mixed> $row
     */
    public function testWhatASiteGives(array $row): void
    {
        $file = self::vectors('given');
        $word = static fn (array $match): string => $file['words']['php'][$match[1]];
        $complaint = $row['complaint'] === null ? null
            : "$file[called]: " . preg_replace_callback('/{(\w+)}/', $word, $row['complaint']);
        self::assertSame($complaint, prebind_native_web_given($row['given'], $file['called'], ['value' => $row['value']]));
    }

    public function testWhatASiteGivesMayBeOfAnyType(): void
    {
        $told = static fn (string $given, mixed $value): ?string => prebind_native_web_given($given, 'own', ['value' => $value]);
        self::assertStringStartsWith('own: returned an ArrayObject; ', (string) $told('credentials', new ArrayObject(['password' => 'x'])));
        self::assertStringStartsWith('own: returned a resource; ', (string) $told('jid', STDIN));
        self::assertStringStartsWith('own: returned a float; ', (string) $told('jid', 1.5));
        $circle = ['password' => 'x'];
        $circle['token'] = &$circle;
        self::assertSame('own: token is an array; it has to be text', $told('credentials', $circle));
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function findings(): iterable
    {
        return self::rows('doctor', 'findings');
    }

    /**
     * @dataProvider findings
     *
     * @param array<string, mixed> $row
     */
    public function testWhatTheDoctorFinds(array $row): void
    {
        $word = static fn (array $match): string => self::vectors('doctor')['words']['php'][$match[1]];
        $line = preg_replace_callback('/{(\w+)}/', $word, $row['line']);
        $found = prebind_native_web_doctor($row['check'], $row['outcome'], $row['words'], $row['milliseconds']);
        self::assertSame([$row['grade'], $line], $found);
    }

    public function testWhatTheDoctorLooksAt(): void
    {
        ['checks' => $checks, 'unmet' => $rows] = self::vectors('doctor');
        self::assertSame($checks, prebind_native_web_checks());
        foreach ($rows as ['check' => $check, 'wrong' => $wrong, 'line' => $line]) {
            self::assertSame($line, prebind_native_web_unmet($check, $wrong), "$check " . implode(' ', $wrong));
        }
        self::assertNull(prebind_native_web_doctor('end', 'made', [], null));
        $shown = prebind_native_web_doctor('user', 'missing', ['user' => "\xff"], null)[1] ?? '';
        self::assertStringContainsString("there is no user \u{fffd}: ", $shown);
    }

    public function testANameThatIsMisspelt(): void
    {
        foreach (self::rows('given', 'names') as [$row]) {
            $told = prebind_native_web_misnamed($row['called'], $row['sort'], $row['misnamed'], $row['known']);
            self::assertSame($row['complaint'], $told, $row['name']);
        }
    }

    public function testANameThatLooksLikeAnother(): void
    {
        $file = json_decode((string) file_get_contents(ROOT . '/tests/vectors/jids.json'), true, flags: JSON_THROW_ON_ERROR);
        $rows = array_filter($file['escape'], static fn (array $row) => in_array($row['name'], ['capital', 'full-width', 'decomposed', 'composed'], true));
        self::assertCount(4, $rows);
        foreach ($rows as $row) {
            try {
                $jid = Prebind\jid_from_user($row['unescaped'], 'localhost');
                self::assertSame(mb_strtolower("$row[escaped]@localhost"), $jid);
            } catch (Prebind\ConfigException $error) {
                self::assertSame([null, 'jid'], [$row['escaped'], $error->field]);
            }
        }
    }

    /**
     * @dataProvider requests
     *
     * @param array<string, mixed> $row
     */
    public function testRequest(array $row): void
    {
        $file = self::vectors('requests');
        $request = prebind_native_web_request(($row['request'] ?? []) + $file['request']);
        $jid = array_key_exists('jid', $row) ? $row['jid'] : $file['jid'];
        $answer = prebind_native_web_refusal($request, $row['signed_in'] ?? $file['signed_in'])
            ?? prebind_native_web_refusal_of($request, $jid);
        if ($row['refusal'] === null) {
            self::assertNull($answer);
        } else {
            $refused = static fn (array $known): bool => ($known['outcome']['refused'] ?? '') === $row['refusal'];
            [$expected] = array_values(array_filter(self::vectors('answers')['answers'], $refused));
            self::assertAnswer($expected, $answer);
        }
        if (isset($row['full_jid'])) {
            self::assertSame($row['full_jid'], prebind_native_web_jid($request, $jid));
        }
        if (array_key_exists('complaint', $row)) {
            $complaint = prebind_native_web_complaint($request, $file['bosh_url'], $file['setting']);
            self::assertSame($row['complaint'], $complaint);
        }
    }

    /**
     * @dataProvider answers
     *
     * @param array<string, mixed> $row
     */
    public function testAnswer(array $row): void
    {
        $outcome = $row['outcome'];
        if (isset($outcome['refused']) && !isset($outcome['wait']) && $outcome['refused'] !== 'SignInAgain') {
            $kinds = array_column(self::vectors('requests')['requests'], 'refusal');
            self::assertContains($outcome['refused'], $kinds);
            return;
        }
        self::assertAnswer($row, match (array_key_first($outcome)) {
            'granted' => prebind_native_web_granted(new Hidden(['session' => (string) json_encode($outcome['granted'])])),
            'failed' => prebind_native_web_failed(...$outcome['failed']),
            'broken' => prebind_native_web_broken(),
            'refused' => isset($outcome['wait'])
                ? prebind_native_web_rate_limited($outcome['wait'])
                : prebind_native_web_sign_in_again(),
        });
    }

    /**
     * @dataProvider cookies
     *
     * @param array<string, mixed> $row
     */
    public function testCookies(array $row): void
    {
        $file = self::vectors('cookies');
        $given = $row + $file;
        $request = prebind_native_web_request(($row['request'] ?? []) + $file['request']);
        $cookies = array_map(array_values(...), $given['cookies']);
        self::assertSame($row['set'], prebind_native_web_cookies($request, $given['bosh_url'], $cookies));
    }

    public function testTheScriptIsKeptUnderItsOwnVersionOnly(): void
    {
        foreach (self::vectors('answers')['scripts'] as ['is_own_version' => $is_own_version, 'headers' => $headers]) {
            self::assertEquals($headers, prebind_native_web_script_headers($is_own_version));
        }
    }

    /**
     * @dataProvider pages
     *
     * @param array<string, mixed> $row
     */
    public function testPage(array $row): void
    {
        [$data, $rest] = explode("</script>\n", self::page($row), 2);
        self::assertSame($row['rest'], $rest);
        self::assertEquals($row['settings'], json_decode(explode('>', $data, 2)[1], true, flags: JSON_THROW_ON_ERROR));
    }

    /**
     * @dataProvider reserved
     *
     * @param array<string, mixed> $row
     */
    public function testNamesThatASiteMustNotSet(array $row): void
    {
        $settings = (string) json_encode((object) $row['settings']);
        self::assertSame($row['names'], Call::answer(fn () => prebind_native_web_reserved($settings, $row['assets'])));
    }

    /**
     * @dataProvider impossible
     *
     * @param array<string, mixed> $row
     */
    public function testAPageThatCannotWork(array $row): void
    {
        try {
            self::page($row);
            self::fail('it is made');
        } catch (Prebind\ConfigException $error) {
            self::assertSame($row['field'], $error->field);
        }
    }

    /** @param array<string, mixed> $row */
    private static function page(array $row): string
    {
        $page = $row['page'] + self::vectors('pages')['page'];
        // PHP has no empty object; a row with another value than settings says so itself.
        $page['settings'] = (string) json_encode($page['settings'] ?: (isset($row['field'], $row['page']['settings']) ? [] : (object) []));
        return Call::answer(fn () => prebind_native_web_page($page));
    }

    /**
     * @param array<string, mixed> $expected
     * @param array{status: int, headers: array<string, string>, body: string} $answer
     */
    private static function assertAnswer(array $expected, array $answer): void
    {
        self::assertSame($expected['status'], $answer['status']);
        self::assertEquals($expected['headers'], $answer['headers']);
        self::assertSame($expected['body'], json_decode($answer['body'], true, flags: JSON_THROW_ON_ERROR));
    }
}

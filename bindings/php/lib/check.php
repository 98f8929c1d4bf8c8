<?php

namespace Prebind;

/**
 * Prints what is right and what is wrong, step by step: what {@see Converse::check()} does.
 *
 * @internal
 *
 * @phpstan-import-type Proof from Converse
 */
final class Check
{
    private int $errors = 0;

    /**
     * The pages may have other settings than a command line, and a check of those would mean nothing.
     */
    public function php(): void
    {
        $scanned = \preg_split('/[\s,]+/', (string) \php_ini_scanned_files(), -1, \PREG_SPLIT_NO_EMPTY) ?: [];
        $files = \array_unique([(string) \php_ini_loaded_file(), ...\array_map(\dirname(...), $scanned)]);
        $from = \implode(' and ', \array_filter($files)) ?: 'no php.ini';
        $this->say('php', match (true) {
            \str_contains($from, '/cli/') => "warning: the settings are those of $from, and pages have others: "
                . 'take theirs by `php -c` and PHP_INI_SCAN_DIR, or call this in a page',
            default => \sprintf('%s, %s, with the settings of %s', \PHP_VERSION, \PHP_SAPI, $from),
        });
        $this->settings();
    }

    /** Whether `php.ini` has settings of ours that there are none of, which PHP itself ignores. */
    private function settings(): void
    {
        $known = \array_keys(\ini_get_all('prebind', false) ?: []);
        $files = \explode(',', \php_ini_loaded_file() . ',' . \php_ini_scanned_files());
        foreach (\array_filter(\array_map(\trim(...), $files), \is_readable(...)) as $file) {
            $sections = \parse_ini_file($file, true, \INI_SCANNER_RAW) ?: [];
            foreach ([$sections, ...\array_filter($sections, \is_array(...))] as $settings) {
                $names = \array_map(\strval(...), \array_keys($settings));
                foreach (\array_diff(\preg_grep('/^prebind\./', $names) ?: [], $known) as $name) {
                    $this->say('settings', 'error: ' . \prebind_native_web_misnamed($file, 'setting', $name, $known));
                }
            }
        }
    }

    /**
     * @param string|\Closure(): ?string|null $jid
     * @param callable(): Proof $credentials
     *
     * @return ?array{string, Proof}
     */
    public function account(string|\Closure|null $jid, callable $credentials): ?array
    {
        $find = static function () use ($jid, $credentials): array {
            $known = Native\Call::jid($jid);
            return [$known, (string) $known === '' ? [] : Native\Call::proof($credentials)];
        };
        [$known, $proof] = $this->step('account', $find, static fn (array $found): string => match ($found[0]) {
            null => 'error: nobody is signed in: give the JID of a user',
            '' => 'error: the JID is empty, so this user has no chat',
            default => "$found[0], with " . \implode(', ', \array_keys($found[1])),
        }) ?? [null, []];
        return $known === null || $known === '' ? null : [$known, $proof];
    }

    /** Whether there is what pages load. */
    public function page(string $dist): void
    {
        $dist = \rtrim($dist, '/');
        foreach (['converse.min.css', 'converse.min.js'] as $file) {
            if (!\is_readable("$dist/$file")) {
                $this->say('page', "error: there is no $dist/$file: npm install converse.js");
                return;
            }
        }
        $this->say('page', "Converse.js is $dist/converse.min.js");
    }

    /** Whether a browser reaches the chat server. */
    public function browserUrl(string $url): void
    {
        $parts = \parse_url($url) ?: [];
        $this->say('browser_url', match (true) {
            $url === '' => 'error: it is missing: set prebind.browser_url in php.ini, or give browser_url',
            \preg_match('~^/(?!/)~', $url) === 1 => "$url, which this site's web server passes on to the chat server: not tried",
            !\preg_match('~^https?://~i', $url) || !isset($parts['host'])
                => 'error: it is neither an address of http or https nor a path',
            self::isLoopback($parts['host'])
                => "warning: $url is on this machine: set prebind.browser_url in php.ini to what browsers elsewhere reach",
            self::isHttps($url) => $url,
            default => "warning: $url is http: no page of https may ask it, and others can read along; use https",
        });
        if (isset($parts['host']) && \preg_match('~^https?://~i', $url) === 1) {
            $this->say('reached', self::answered($url));
        }
    }

    /** There is no such session, and only a chat server says so. */
    private static function answered(string $url): string
    {
        try {
            (new Client($url))->terminate(sid: 'prebind-try', rid: 1);
        } catch (TerminatedException) {
        } catch (Exception $error) {
            return "warning: from this machine: {$error->getMessage()}";
        }
        return 'a chat server answers this machine';
    }

    /** @param Client|\Closure(): Client|null $client */
    public function client(Client|\Closure|null $client): ?Client
    {
        $make = static fn (): Client => Native\Call::client($client);
        return $this->step('client', $make, static function (Client $made): string {
            ['url' => $url] = $made->__debugInfo();
            $isSafe = self::isHttps($url) || self::isLoopback((string) \parse_url($url, \PHP_URL_HOST));
            return $isSafe
                ? "$url, and the settings are good"
                : "warning: $url is http: an attacker on the network can read along, and only SCRAM may be used; use https";
        });
    }

    /** @param ?array<mixed> $limit */
    public function rateLimit(?array $limit): void
    {
        $complaint = \prebind_native_web_given('rate_limit', '$rate_limit', ['value' => $limit]);
        $missing = self::missingOfApcu();
        $this->say('rate limit', match (true) {
            $complaint !== null => "error: $complaint",
            $limit === null => 'none: a user may open any number of sessions',
            $missing !== null => "warning: nothing is counted, a user may open any number of sessions: $missing",
            !\apcu_enabled() => "$limit[0] sessions of a user in $limit[1] s, counted in APCu in pages: not tried",
            !\apcu_store('prebind:try', 1) || \apcu_inc('prebind:try') !== 2
                => 'warning: nothing is counted, a user may open any number of sessions: APCu does not count',
            default => "$limit[0] sessions of a user in $limit[1] s, counted in APCu",
        });
    }

    /** @param array{string, Proof} $account */
    public function login(Client $client, array $account): void
    {
        [$jid, $proof] = $account;
        $open = static fn (): Session => $client->prebind($jid, ...$proof);
        $session = $this->step('login', $open, static fn (Session $it) => $it->jid);
        if ($session !== null) {
            $this->say('mechanism', (string) $session->mechanism);
            $this->say('round trips', (string) $session->roundTrips);
            $this->say('attach within', $session->inactivity === null ? 'a time not told' : "$session->inactivity s");
            $this->step('end', static fn () => $client->terminate($session), static fn () => 'the session is gone');
        }
    }

    /** Whether what was learned is there for other processes. */
    public function cache(Client $client): void
    {
        $missing = self::missingOfApcu();
        $this->say('cache', match ($client->isKept()) {
            true => 'it has what was learned',
            false => "warning: it is out of order, each process learns by itself: PHP's error log says why",
            null => $missing === null
                ? 'APCu, in pages: not tried'
                : "warning: there is none, each process learns by itself: $missing, or give the client a cache",
        });
    }

    /** How many errors were printed. */
    public function errors(): int
    {
        return $this->errors;
    }

    /** How to mend that the site has no APCu. A command line has it only in the pages. */
    private static function missingOfApcu(): ?string
    {
        return match (true) {
            !\function_exists('apcu_enabled') => 'install APCu, php-apcu on Debian',
            \apcu_enabled() || (\PHP_SAPI === 'cli' && (bool) \ini_get('apc.enabled')) => null,
            default => 'set apc.enabled=1 in php.ini',
        };
    }

    private static function isLoopback(string $host): bool
    {
        return \preg_match('/^(127\.[\d.]+|\[::1]|(.*\.)?localhost)$/Di', $host) === 1;
    }

    private static function isHttps(string $url): bool
    {
        return \preg_match('~^https://~i', $url) === 1;
    }

    /**
     * Does it, and prints what came of it and how long it took.
     *
     * @template T
     *
     * @param \Closure(): T $action
     * @param \Closure(T): string $said
     *
     * @return ?T null if it failed
     */
    private function step(string $name, \Closure $action, \Closure $said): mixed
    {
        $start = \hrtime(true);
        try {
            $result = $action();
            $milliseconds = (\hrtime(true) - $start) / 1e6;
            $this->say($name, \sprintf('%s (%d ms)', $said($result), $milliseconds));
            return $result;
        } catch (Exception $error) {
            $setting = \prebind_native_settings()[$error instanceof ConfigException ? $error->field : ''] ?? null;
            $place = $setting === null ? '' : " (in php.ini it is $setting)";
            $condition = $error->condition ?? 'none';
            $this->say($name, "error: {$error->getMessage()}$place");
            echo "  kind=$error->kind stage=$error->stage condition=$condition retry=$error->retry\n";
        } catch (Native\WrongValue $error) {
            $this->say($name, "error: {$error->getMessage()}");
        } catch (\Throwable $error) {
            // Only where: what the site's own code says might repeat a secret.
            $this->say($name, 'error: ' . Native\Call::place($error));
        }
        return null;
    }

    private function say(string $name, string $value): void
    {
        $this->errors += (int) \str_starts_with($value, 'error: ');
        \printf("%-14s %s\n", $name, $value);
    }
}

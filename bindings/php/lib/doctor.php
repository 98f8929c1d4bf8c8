<?php

namespace Prebind;

/**
 * What is wrong with the chat of a user: what {@see doctor()} prints. The core has the checks and their words:
 * bindings/web/README.md lists them.
 *
 * @internal
 *
 * @phpstan-import-type Proof from Converse
 */
final class Doctor
{
    /** @var list<string> the checks that went wrong, and those that need them */
    private array $wrong = [];

    /** @var array{string, Proof} */
    private array $account;

    private Client $made;

    private Session $session;

    /**
     * @param string|\Closure(): ?string|null $jid
     * @param \Closure(): mixed $credentials
     * @param Client|\Closure(): Client|null $client
     * @param ?array<mixed> $rateLimit
     * @param ?iterable<string|int, ?string> $users
     */
    public function __construct(
        private readonly string|\Closure|null $jid,
        private readonly \Closure $credentials,
        private readonly Client|\Closure|null $client,
        private readonly ?array $rateLimit,
        private readonly string $browserUrl,
        private readonly ?string $dist,
        private readonly ?iterable $users,
    ) {
    }

    /** Prints a line for each check, and says whether nothing is wrong. */
    public function run(): bool
    {
        foreach (\prebind_native_web_checks() as $check) {
            $unmet = \prebind_native_web_unmet($check, $this->wrong);
            if ($unmet !== null) {
                $this->wrong[] = $check;
                echo "$unmet\n";
                continue;
            }
            $start = \hrtime(true);
            foreach ($this->tried($check) as [$outcome, $words]) {
                $this->say($check, $outcome, $words, \intdiv(\hrtime(true) - $start, 1_000_000));
            }
        }
        return $this->wrong === [];
    }

    /** @param array<string, string|int|null> $words */
    private function say(string $check, string $outcome, array $words, int $milliseconds): void
    {
        $words = \array_map(\strval(...), $words);
        [$grade, $line] = \prebind_native_web_doctor($check, $outcome, $words, $milliseconds)
            ?? throw new \LogicException("$check has no outcome $outcome");
        if ($grade === 'error') {
            $this->wrong[] = $check;
        }
        echo "$line\n";
    }

    /** @return list<array{string, array<string, string|int|null>}> */
    private function tried(string $check): array
    {
        try {
            return $check === 'site' ? $this->site() : [$this->outcome($check)];
        } catch (Exception $error) {
            $setting = \prebind_native_settings()[$error instanceof ConfigException ? $error->field : ''] ?? null;
            $place = $setting === null ? '' : " (in php.ini it is $setting)";
            return [['failed', [
                'message' => $error->getMessage() . $place, 'kind' => $error->kind, 'stage' => $error->stage,
                'condition' => $error->condition ?? 'none', 'retry' => $error->retry,
            ]]];
        } catch (SignInAgain) {
            return [['sign_in', []]];
        } catch (Native\WrongValue $error) {
            return [['wrong', ['complaint' => $error->getMessage()]]];
        } catch (\Throwable $error) {
            // Only where: what the site's own code says might repeat a secret.
            return [['broken', ['place' => Native\Call::place($error)]]];
        }
    }

    /** @return array{string, array<string, string|int|null>} */
    private function outcome(string $check): array
    {
        return match ($check) {
            'user' => ['given', []],
            'account' => $this->account(),
            'users' => $this->users(),
            'page' => $this->page(),
            'browser_url' => ['given', ['url' => $this->browserUrl]],
            'reached' => $this->reached(),
            'rate_limit' => $this->rateLimit(),
            'client' => $this->client(),
            'login' => $this->login(),
            'end' => $this->end(),
            'cache' => $this->cache(),
            'next_login' => $this->nextLogin(),
            'body_limit' => $this->made->bodyLimit($this->account[1], $this->browserUrl),
            default => throw new \LogicException("there is no check $check"),
        };
    }

    /**
     * The pages may have other settings than a command line, and a check of those would mean nothing.
     *
     * @return list<array{string, array<string, string|int|null>}>
     */
    private function site(): array
    {
        $scanned = \preg_split('/[\s,]+/', (string) \php_ini_scanned_files(), -1, \PREG_SPLIT_NO_EMPTY) ?: [];
        $files = \array_unique([(string) \php_ini_loaded_file(), ...\array_map(\dirname(...), $scanned)]);
        $settings = \implode(' and ', \array_filter($files)) ?: 'no php.ini';
        $outcome = \str_contains($settings, '/cli/') ? 'command_line' : 'found';
        $platform = 'PHP ' . \PHP_VERSION . ', ' . \PHP_SAPI;
        return [[$outcome, ['platform' => $platform, 'settings' => $settings]], ...\iterator_to_array($this->misspelt(), false)];
    }

    /**
     * Whether `php.ini` has settings of ours that there are none of, which PHP itself ignores.
     *
     * @return iterable<array{string, array<string, string|int|null>}>
     */
    private function misspelt(): iterable
    {
        $known = \array_keys(\ini_get_all('prebind', false) ?: []);
        $files = \explode(',', \php_ini_loaded_file() . ',' . \php_ini_scanned_files());
        foreach (\array_filter(\array_map(\trim(...), $files), \is_readable(...)) as $file) {
            $sections = \parse_ini_file($file, true, \INI_SCANNER_RAW) ?: [];
            foreach ([$sections, ...\array_filter($sections, \is_array(...))] as $settings) {
                $names = \array_map(\strval(...), \array_keys($settings));
                foreach (\array_diff(\preg_grep('/^prebind\./', $names) ?: [], $known) as $name) {
                    yield ['wrong', ['complaint' => \prebind_native_web_misnamed($file, 'setting', $name, $known)]];
                }
            }
        }
    }

    /** @return array{string, array<string, string|int|null>} */
    private function account(): array
    {
        $jid = Native\Call::jid($this->jid);
        if ($jid === null || $jid === '') {
            return [$jid === null ? 'nobody' : 'no_chat', []];
        }
        /** @var Proof $proof */
        $proof = Native\Call::proof($this->credentials);
        $this->account = [$jid, $proof];
        return ['found', ['jid' => $jid, 'credentials' => \implode(', ', \array_keys($proof))]];
    }

    /**
     * Whether two users are one in the chat.
     *
     * @return array{string, array<string, string|int|null>}
     */
    private function users(): array
    {
        if ($this->users === null) {
            return ['unlisted', []];
        }
        [$names, $jids] = [[], []];
        foreach ($this->users as $name => $jid) {
            $names[] = (string) $name;
            $jids[] = (string) $jid;
        }
        $shared = \prebind_native_web_sharing($jids);
        if ($shared === null) {
            return ['apart', ['count' => \count($jids)]];
        }
        [$one, $other] = $shared;
        return ['shared', ['one' => $names[$one], 'other' => $names[$other], 'jid' => $jids[$one]]];
    }

    /**
     * Whether there is what pages load.
     *
     * @return array{string, array<string, string|int|null>}
     */
    private function page(): array
    {
        if ($this->dist === null) {
            return ['not_named', []];
        }
        $dist = \rtrim($this->dist, '/');
        $script = "$dist/converse.min.js";
        foreach (["$dist/converse.min.css", $script] as $file) {
            if (!\is_readable($file)) {
                return ['no_script', ['script' => $file]];
            }
        }
        return ['script', ['script' => $script]];
    }

    /**
     * Whether a browser reaches the chat server.
     *
     * @return array{string, array<string, string|int|null>}
     */
    private function reached(): array
    {
        if (\str_starts_with($this->browserUrl, '/')) {
            return ['passed_on', ['url' => $this->browserUrl]];
        }
        try {
            // There is no such session, and only a chat server says so.
            (new Client($this->browserUrl))->terminate(sid: 'prebind-doctor', rid: 1);
        } catch (TerminatedException) {
        } catch (Exception $error) {
            return ['unanswered', ['message' => $error->getMessage()]];
        }
        return ['answered', []];
    }

    /** @return array{string, array<string, string|int|null>} */
    private function rateLimit(): array
    {
        $limit = Native\Call::checked('rate_limit', '$rate_limit', $this->rateLimit);
        if ($limit === null) {
            return ['off', []];
        }
        $missing = self::missingApcu();
        if ($missing !== null) {
            return [$missing, []];
        }
        $words = ['cache' => 'APCu', 'count' => $limit[0], 'seconds' => $limit[1]];
        return match (true) {
            !\apcu_enabled() => ['in_pages', $words],
            !\apcu_store('prebind:doctor', 1) || \apcu_inc('prebind:doctor') !== 2 => ['uncounted', $words],
            default => ['counted', $words],
        };
    }

    /** @return array{string, array<string, string|int|null>} */
    private function client(): array
    {
        $this->made = Native\Call::client($this->client);
        return ['made', $this->made->__debugInfo()];
    }

    /** @return array{string, array<string, string|int|null>} */
    private function login(): array
    {
        [$jid, $proof] = $this->account;
        $session = $this->session = $this->made->prebind($jid, ...$proof);
        return [$session->inactivity === null ? 'in_untimed' : 'in', [
            'jid' => $session->jid, 'mechanism' => $session->mechanism, 'round_trips' => $session->roundTrips,
            'inactivity' => $session->inactivity,
        ]];
    }

    /** @return array{string, array<string, string|int|null>} */
    private function end(): array
    {
        $this->made->terminate($this->session);
        return ['ended', []];
    }

    /**
     * Whether what was learned is there for other processes.
     *
     * @return array{string, array<string, string|int|null>}
     */
    private function cache(): array
    {
        return match ($this->made->isKept()) {
            true => ['kept', ['cache' => 'the cache']],
            false => ['lost', ['cache' => 'the cache']],
            null => [self::missingApcu() ?? 'in_pages', ['cache' => 'APCu']],
        };
    }

    /**
     * Whether another token of the user's logs in as well.
     *
     * @return array{string, array<string, string>}
     */
    private function nextLogin(): array
    {
        [$jid, $first] = $this->account;
        /** @var Proof $next */
        $next = Native\Call::proof($this->credentials);
        return $this->made->nextLogin($jid, $first, $next);
    }

    /** The outcome of a site without APCu. A command line has it only in the pages. */
    private static function missingApcu(): ?string
    {
        return match (true) {
            !\function_exists('apcu_enabled') => 'no_cache',
            \apcu_enabled() || (\PHP_SAPI === 'cli' && (bool) \ini_get('apc.enabled')) => null,
            default => 'apcu_off',
        };
    }
}

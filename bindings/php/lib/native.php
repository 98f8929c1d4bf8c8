<?php

namespace Prebind\Native;

use Prebind\ConfigException;
use Prebind\InternalException;

/**
 * Values with names, on their way to the native part.
 *
 * No attribute of a native function hides its arguments from stack traces: nobody who prints one
 * sees what is in here.
 *
 * @internal
 */
final class Hidden
{
    /** @var array<string, mixed> */
    private array $values = [];

    private const MOST_VALUES = 1000;

    /**
     * @param array<string, mixed> $values
     *
     * @throws ConfigException if there is one that the native part could not take
     */
    public function __construct(#[\SensitiveParameter] array $values)
    {
        foreach ($values as $name => $value) {
            $this->values[$name] = \is_array($value) ? self::plain($name, $value) : $value;
        }
    }

    /**
     * Without references, which may lead in a circle, today or tomorrow: so there is a limit to what is in it.
     *
     * @param array<mixed> $values
     *
     * @return array<mixed>
     */
    private static function plain(string $name, #[\SensitiveParameter] array $values, int &$count = 0): array
    {
        $plain = [];
        foreach ($values as $key => $value) {
            if (++$count > self::MOST_VALUES) {
                throw Call::refused($name, 'there must be no more than ' . self::MOST_VALUES . ' values in it');
            }
            Call::text($name, (string) $key);
            $plain[$key] = \is_array($value) ? self::plain($name, $value, $count) : $value;
        }
        return $plain;
    }

    /** @return array<string, string> */
    public function __debugInfo(): array
    {
        return \array_fill_keys(\array_keys($this->values), '***');
    }
}

/**
 * The site's own code gave an unusable value. The message says why: it names classes and keys, never a value.
 *
 * @internal
 */
final class WrongValue extends \UnexpectedValueException
{
}

/**
 * The site's cache, which may be away: then there is a chat all the same. When it is asked, the core decides:
 * `bindings/web/README.md` has the rule.
 *
 * @internal
 */
final class Cache
{
    /**
     * What the cache answers; null if it is away. PHP's error log then has the question.
     *
     * @param \Closure(): mixed $ask
     */
    public static function ask(string $question, \Closure $ask): mixed
    {
        $start = self::now();
        if (!\prebind_native_web_cache_is_asked($start)) {
            return null;
        }
        $answer = $failure = null;
        try {
            $answer = $ask();
        } catch (\Throwable $error) {
            $failure = Call::place($error);
        }
        $complaint = \prebind_native_web_cache_answered($start, self::now(), $question, $failure);
        if ($complaint !== null) {
            \error_log("prebind: $complaint");
        }
        return $answer;
    }

    private static function now(): int
    {
        return \intdiv(\hrtime(true), 1_000_000);
    }
}

/** @internal */
final class Call
{
    /**
     * What the site's own code gave.
     *
     * @param string $given what the core calls it
     *
     * @throws WrongValue if it is unusable
     * @throws ConfigException if a name in it is not UTF-8
     */
    public static function checked(string $given, string $called, #[\SensitiveParameter] mixed $value): mixed
    {
        foreach (\is_array($value) ? \array_keys($value) : [] as $name) {
            self::text($given, (string) $name);
        }
        $complaint = \prebind_native_web_given($given, $called, ['value' => $value]);
        return $complaint === null ? $value : throw new WrongValue($complaint);
    }

    /**
     * The client that the site gave or makes.
     *
     * @param Client|\Closure(): mixed|null $client
     *
     * @throws WrongValue if it is none
     */
    public static function client(\Prebind\Client|\Closure|null $client): \Prebind\Client
    {
        $made = $client instanceof \Closure ? $client() : $client ?? new \Prebind\Client();
        return $made instanceof \Prebind\Client ? $made : self::checked('client', '$client', $made);
    }

    /**
     * The user's bare JID.
     *
     * @param string|\Closure(): mixed|null $jid
     *
     * @throws WrongValue if the function returned neither text nor null
     */
    public static function jid(string|\Closure|null $jid): ?string
    {
        /** @var ?string */
        return self::checked('jid', '$jid', $jid instanceof \Closure ? $jid() : $jid);
    }

    /**
     * The arguments of {@see \Prebind\Client::prebind()}.
     *
     * @param callable(): mixed $credentials
     *
     * @return array<string, mixed>
     *
     * @throws WrongValue if the function returned anything else
     */
    public static function proof(callable $credentials): array
    {
        /** @var array<string, mixed> $proof */
        $proof = self::checked('credentials', '$credentials', $credentials());
        return \array_filter($proof, static fn (mixed $value) => $value !== null);
    }

    /**
     * What a native function answers, or its error, thrown.
     *
     * @template T
     *
     * @param \Closure(): (array{T}|array{kind: string, message: string}) $function
     *
     * @return T
     */
    public static function answer(\Closure $function): mixed
    {
        try {
            $answer = $function();
        } catch (\Error $error) {
            // Not with the words of the panic, which may be about a secret.
            throw \str_starts_with($error->getMessage(), 'Rust panic: ')
                ? new InternalException('a defect in prebind itself: report it with what PHP\'s log says')
                : $error;
        }
        if (\array_key_exists(0, $answer)) {
            return $answer[0];
        }
        /** @var class-string<\Prebind\Exception> $class */
        $class = "Prebind\\{$answer['kind']}Exception";
        unset($answer['kind']);
        // Which arguments there are depends on the class.
        throw (new \ReflectionClass($class))->newInstanceArgs($answer);
    }

    /**
     * The text, which the native part takes as UTF-8 only.
     *
     * @throws ConfigException with this field if it is not
     */
    public static function text(string $field, #[\SensitiveParameter] string $text): string
    {
        if (\preg_match('//u', $text) !== 1) {
            throw self::refused($field, 'must be UTF-8');
        }
        return $text;
    }

    /** What an error of the site's own was, for a log: its message might repeat a secret. */
    public static function place(\Throwable $error): string
    {
        return $error::class . " in {$error->getFile()}:{$error->getLine()}";
    }

    /** The BOSH endpoint as the browser reaches it: the given one, or that of `php.ini`. */
    public static function browserUrl(?string $given): string
    {
        return $given ?? ((string) \ini_get('prebind.browser_url') ?: (string) \ini_get('prebind.url'));
    }

    /**
     * A value of `$_SERVER` or `$_GET`, if it is text.
     *
     * @param array<mixed> $given
     */
    public static function said(#[\SensitiveParameter] array $given, string $name): string
    {
        $said = $given[$name] ?? '';
        return \is_scalar($said) ? (string) $said : '';
    }

    public static function refused(string $field, string $problem): ConfigException
    {
        return new ConfigException("$field: $problem", field: $field, retry: 'after-config-change');
    }
}

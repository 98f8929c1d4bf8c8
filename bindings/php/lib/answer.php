<?php

namespace Prebind;

/**
 * What the browser is answered: {@see send()} it, or give its parts to your framework.
 */
final class Answer
{
    /** @param array<string, string> $headers */
    private function __construct(
        public readonly int $status,
        public readonly array $headers,
        #[\SensitiveParameter] public readonly string $body,
    ) {
    }

    /** @internal */
    public static function granted(Session $session): self
    {
        return self::json(200, $session);
    }

    /**
     * @internal
     *
     * @param array<string, string> $headers
     */
    public static function refused(int $status, string $kind, string $retry = 'no', array $headers = []): self
    {
        return self::json($status, ['kind' => $kind, 'retry' => $retry], $headers);
    }

    /** @internal */
    public static function script(): self
    {
        $headers = [
            'Content-Type' => 'text/javascript; charset=utf-8',
            'Cache-Control' => 'private, max-age=31536000, immutable',
            'X-Content-Type-Options' => 'nosniff',
        ];
        return new self(200, $headers, SCRIPT);
    }

    /** @param array<string, string> $headers */
    private static function json(int $status, mixed $content, array $headers = []): self
    {
        $headers += [
            'Content-Type' => 'application/json',
            'Cache-Control' => 'no-store, private',
            'X-Content-Type-Options' => 'nosniff',
            'Vary' => 'Cookie',
        ];
        return new self($status, $headers, \json_encode($content, \JSON_THROW_ON_ERROR));
    }

    /** Sends status, headers and body, in place of what PHP's session module may have set. */
    public function send(): void
    {
        \http_response_code($this->status);
        foreach ($this->headers as $name => $value) {
            \header("$name: $value");
        }
        foreach (['Expires', 'Pragma'] as $name) {
            \header_remove($name);
        }
        echo $this->body;
    }
}
